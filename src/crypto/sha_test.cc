#include "crypto/sha.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hex.h"

namespace bothy {
namespace {

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// FIPS 180-4's examples (NIST, "Examples with Intermediate Values").
TEST(Sha, TheStandardsExamplesHashAsPublished) {
  EXPECT_EQ(EncodeHex(Sha256::Of("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(EncodeHex(Sha256::Of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(EncodeHex(Sha256::Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(EncodeHex(Sha1::Of("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(EncodeHex(Sha1::Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

TEST(Sha, AMillionLettersInPiecesHashAsPublished) {
  Sha256 sha256;
  Sha1 sha1;
  const std::string piece(1000, 'a');
  for (int i = 0; i < 1000; i++) {
    sha256.Update(piece);
    sha1.Update(piece);
  }
  EXPECT_EQ(EncodeHex(sha256.Finish()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(EncodeHex(sha1.Finish()), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  sha256.Update("abc");
  EXPECT_EQ(sha256.Finish(), Sha256::Of("abc")) << "a finished object begins anew";
}

TEST(Sha, AGitBlobHasTheNameThatGitGivesIt) {
  Sha1 sha;
  sha.Update("blob 12");
  sha.Update(std::string_view("\0", 1));
  sha.Update("hello world\n");
  EXPECT_EQ(EncodeHex(sha.Finish()), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");  // git hash-object
}

// RFC 4231, test cases 1, 2 and 6.
TEST(Hmac, TheRfcsExamplesAuthenticateAsPublished) {
  EXPECT_EQ(EncodeHex(HmacSha256(Bytes(std::string(20, '\x0b')), Bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(EncodeHex(HmacSha256(Bytes("Jefe"), Bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(EncodeHex(HmacSha256(Bytes(std::string(131, '\xaa')),
                                 Bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, AnEmptyKeyIsAKey) {
  (void)HmacSha256(Bytes("another"), Bytes("x"));
  // Python's hmac.new(b"", b"", "sha256").
  EXPECT_EQ(EncodeHex(HmacSha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(ShaTest, ACopyGoesOnFromTheSameBytes) {
  Sha256 first;
  first.Update("a");
  Sha256 second = first;
  first.Update("bc");
  second.Update("x");
  EXPECT_EQ(first.Finish(), Sha256::Of("abc"));
  EXPECT_EQ(second.Finish(), Sha256::Of("ax"));
  second = first;  // begun anew
  EXPECT_EQ(second.Finish(), Sha256::Of(""));
}

}  // namespace
}  // namespace bothy
