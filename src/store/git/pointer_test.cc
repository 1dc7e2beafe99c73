#include "store/git/pointer.h"

#include <gtest/gtest.h>

namespace bothy::git {
namespace {

const std::string kHash = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
// The example of git-lfs's docs/spec.md, 3.6.
const std::string kExample = "version https://git-lfs.github.com/spec/v1\noid sha256:" + kHash + "\nsize 12345\n";

std::string Replaced(std::string_view from, std::string_view to) {
  std::string text = kExample;
  return text.replace(text.find(from), from.size(), to);
}

TEST(Pointer, ReadsAndWritesTheSpecificationsExample) {
  const auto pointer = ParsePointer(kExample);
  ASSERT_TRUE(pointer);
  EXPECT_EQ(pointer->sha256, kHash);
  EXPECT_EQ(pointer->size, 12345u);
  EXPECT_EQ(FormatPointer(*pointer), kExample);
}

TEST(Pointer, PassesOverExtensionsAndUnknownKeysInOrder) {
  EXPECT_TRUE(ParsePointer(Replaced("oid ", "ext-0-foo sha256:" + kHash + "\noid ")));
  EXPECT_TRUE(ParsePointer(kExample + "x-chunks 3\n"));
}

TEST(Pointer, IsStrict) {
  const std::string cases[] = {
      "",
      "\n",
      "version https://git-lfs.github.com/spec/v1\n",
      kExample.substr(0, kExample.size() - 1),
      kExample + "\n",
      kExample + "x",
      " " + kExample,
      Replaced("spec/v1", "spec/v2"),
      Replaced("version ", "Version "),
      Replaced("sha256:", "sha1:"),
      Replaced("sha256:4", "sha256:"),
      Replaced("sha256:4d", "sha256:4D"),
      Replaced("sha256:4d", "sha256:/d"),
      Replaced("12345", "-1"),
      Replaced("12345", "+1"),
      Replaced("12345", "012345"),
      Replaced("12345", "12345 "),
      Replaced("12345", ""),
      Replaced("12345", "9223372036854775808"),
      Replaced("12345", "99999999999999999999999"),
      Replaced("\nsize", "\r\nsize"),
      Replaced("size 12345\n", ""),
      Replaced("size ",
               "size "
               "1\nsize "),
      Replaced("oid ", "size 3\noid "),
      Replaced("oid ", "z 3\noid "),
      Replaced("oid ", "oid  "),
      kExample + "version https://git-lfs.github.com/spec/v1\n",
      kExample + "x_y 3\n",
      kExample + "nothing\n",
  };
  for (const std::string& text : cases) EXPECT_FALSE(ParsePointer(text)) << text;
  EXPECT_EQ(ParsePointer(Replaced("12345", "9223372036854775807"))->size, 9223372036854775807u);
}

TEST(Pointer, IsOfALengthWithinTheLimits) {
  EXPECT_EQ(Replaced("12345", "0").size(), kMinPointerBytes);
  EXPECT_TRUE(ParsePointer(Replaced("12345", "0")));
  const std::string text = kExample + "x ";
  EXPECT_TRUE(ParsePointer(text + std::string(kMaxPointerBytes - text.size() - 1, 'a') + "\n"));
  EXPECT_FALSE(ParsePointer(text + std::string(kMaxPointerBytes - text.size(), 'a') + "\n"));
}

}  // namespace
}  // namespace bothy::git
