#include "api/git/gzip_body.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/testing.h"
#include "net/executor.h"

namespace bothy::api {
namespace {

// printf 'want\nwant\nwant\nwant\n' | gzip -n
std::string Compressed() { return *DecodeBase64("H4sIAAAAAAAAAytPzCvhKkclAK0LWj8UAAAA"); }

Result<std::string> Unpack(std::string bytes, size_t piece, size_t limit = 1000) {
  net::MemoryBody body(std::move(bytes), piece);
  GzipBody unpacked(body);
  return net::RunToCompletion(net::ReadAll(unpacked, limit));
}

TEST(GzipBody, UnpacksWhatGzipHasPackedInPiecesOfAnySize) {
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}}) {
    const auto text = Unpack(Compressed(), piece);
    ASSERT_OK(text);
    EXPECT_EQ(*text, "want\nwant\nwant\nwant\n");
  }
}

TEST(GzipBody, WhatEndsTooEarlyIsCorrupt) {
  for (size_t size = 0; size < Compressed().size(); size++) {
    const auto text = Unpack(Compressed().substr(0, size), 5);
    ASSERT_FALSE(text) << size;
    EXPECT_EQ(text.error().code, ErrorCode::kCorrupt);
  }
}

TEST(GzipBody, WhatIsNoGzipIsCorrupt) {
  EXPECT_EQ(Unpack("0032want aaaa", 5).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(Unpack(Compressed() + "more", 5).error().code, ErrorCode::kCorrupt);
}

TEST(GzipBody, TheReaderLimitsWhatComesOut) {
  EXPECT_OK(Unpack(Compressed(), 1000, 20));
  EXPECT_EQ(Unpack(Compressed(), 1000, 19).error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace bothy::api
