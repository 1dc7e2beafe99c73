#include "api/lfs/batch_request.h"

#include "base/testing.h"

namespace bothy::api {
namespace {

std::string Request(size_t objects, std::string_view rest) {
  std::string body = "{";
  body += rest;
  body += R"(,"objects":[)";
  for (size_t i = 0; i < objects; i++) {
    if (i > 0) body += ",";
    body += fmt::format(R"({{"oid":"{:064x}","size":{}}})", i, i);
  }
  return body + "]}";
}

// In the form of git-lfs 3.3.0.
TEST(LfsBatch, WhatGitLfsAsks) {
  const auto batch = ReadLfsBatch(
      R"({"operation":"upload","objects":[{"oid":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","size":5}],)"
      R"("transfers":["lfs-standalone-file","basic","ssh"],"ref":{"name":"refs/heads/side"},"hash_algo":"sha256"})");
  ASSERT_OK(batch);
  EXPECT_TRUE(batch->upload);
  EXPECT_EQ(batch->transfer, LfsTransfer::kBasic);
  EXPECT_EQ(batch->revision, "side");
  EXPECT_EQ(batch->hash, "sha256");
  ASSERT_EQ(batch->objects.size(), 1u);
  EXPECT_EQ(batch->objects[0].size, 5u);
}

TEST(LfsBatch, TheBestWayThatIsOffered) {
  const auto transfer = [](std::string_view offered, uint64_t size) {
    const auto batch = ReadLfsBatch(
        fmt::format(R"({{"operation":"upload","transfers":{},"objects":[{{"oid":"a","size":{}}}]}})", offered, size));
    EXPECT_OK(batch);
    return batch ? batch->transfer : LfsTransfer::kBasic;
  };
  EXPECT_EQ(transfer(R"(["basic","multipart","xet"])", 1), LfsTransfer::kXet);
  EXPECT_EQ(transfer(R"(["basic","multipart"])", kLfsMultipartFrom - 1), LfsTransfer::kBasic);
  EXPECT_EQ(transfer(R"(["basic","multipart"])", kLfsMultipartFrom), LfsTransfer::kMultipart);
  EXPECT_EQ(transfer(R"(["basic"])", kLfsMultipartFrom), LfsTransfer::kBasic);
  EXPECT_EQ(transfer("[]", 1), LfsTransfer::kBasic);
}

TEST(LfsBatch, AsManyObjectsAsTheLimitAndNoMore) {
  const auto most = ReadLfsBatch(Request(LfsBatch::kMaxObjects, R"("operation":"download")"));
  ASSERT_OK(most);
  EXPECT_EQ(most->objects.size(), LfsBatch::kMaxObjects);
  EXPECT_EQ(ReadLfsBatch(Request(LfsBatch::kMaxObjects + 1, R"("operation":"download")")).error().code,
            ErrorCode::kResourceExhausted);
}

TEST(LfsBatch, WhatIsNoneIsRefused) {
  for (const std::string_view body :
       {"", "[]", "{", R"({"objects":[]})", R"({"operation":"steal","objects":[]})", R"({"operation":"upload"})",
        R"({"operation":"upload","objects":{}})", R"({"operation":"upload","objects":[1]})",
        R"({"operation":"upload","objects":[{"oid":1,"size":1}]})",
        R"({"operation":"upload","objects":[{"oid":"a","size":-1}]})",
        R"({"operation":"upload","objects":[{"oid":"a","size":"1"}]})",
        R"({"operation":"upload","objects":[],"transfers":7})",
        R"({"operation":"upload","objects":[],"ref":{"name":7}})"}) {
    EXPECT_EQ(ReadLfsBatch(body).error().code, ErrorCode::kInvalidArgument) << body;
  }
}

}  // namespace
}  // namespace bothy::api
