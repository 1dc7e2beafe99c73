#include "client/answers.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace bothy::client {
namespace {

const std::string kOid(40, 'a'), kSha(64, 'b'), kHash(64, 'c'), kOther(64, 'd');

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

const std::string kPage = R"([{"type": "directory", "oid": "x", "size": 0, "path": "sub"},
  {"type": "file", "oid": ")" +
                          kOid + R"(", "size": 5, "path": "sub/small"},
  {"type": "file", "oid": ")" +
                          kOid + R"(", "size": 134, "path": "large", "xetHash": ")" + kHash + R"(", "lfs": {"oid": ")" +
                          kSha + R"(", "size": 9000000000, "pointerSize": 134}}])";

TEST(TreePage, HasTheFilesOfACommit) {
  std::vector<RemoteFile> files;
  ASSERT_OK(ParseTreePage(kPage, files));
  ASSERT_OK(SortFiles(files));
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0], (RemoteFile{"large", 9'000'000'000, kOid, kSha, xet::FromText(kHash)}));
  EXPECT_EQ(files[0].etag(), kSha);
  EXPECT_EQ(files[1], (RemoteFile{"sub/small", 5, kOid, {}, {}}));
  EXPECT_EQ(files[1].etag(), kOid);
  EXPECT_EQ(ParseTreeFile(WriteTreeFile(files)).value(), files);
}

// As huggingface_hub 2.4's _tree_cache.py shows it.
TEST(TreeFile, IsReadAsPythonsClientsWriteIt) {
  const auto files =
      ParseTreeFile(R"({"format_version": 1, "files": {"config.json": {"size": 519, "blob_id": ")" + kOid + R"("}}})");
  ASSERT_OK(files);
  EXPECT_EQ(files->front(), (RemoteFile{"config.json", 519, kOid, {}, {}}));
  EXPECT_FALSE(ParseTreeFile(R"({"format_version": 2, "files": {}})"));
}

// As the answers of /api/models/ns/name have it.
TEST(Repository, IsWhatItsHubSays) {
  const auto open =
      ParseRepository(R"({"_id": "1", "id": "ns/Name", "sha": ")" + kOid + R"(", "private": false, "gated": false})");
  ASSERT_OK(open);
  EXPECT_EQ(*open, (RemoteRepository{.id = "ns/Name", .commit = kOid, .is_private = false, .gated = ""}));
  const auto closed =
      ParseRepository(R"({"id": "ns/Name", "sha": ")" + kOid + R"(", "private": true, "gated": "manual"})");
  ASSERT_OK(closed);
  EXPECT_EQ(*closed, (RemoteRepository{.id = "ns/Name", .commit = kOid, .is_private = true, .gated = "manual"}));
  for (const std::string text : {R"({"id": "a/b"})", R"({"id": "a/b", "sha": "x"})", "[]"}) {
    EXPECT_EQ(ParseRepository(text).error().code, ErrorCode::kCorrupt) << text;
  }
  EXPECT_FALSE(ParseRepository(R"({"id": "ns/Name", "sha": ")" + kOid + R"(", "gated": "yes"})"));
}

TEST(LargeObjects, AreWhereTheHubSays) {
  const std::string answer = R"({"transfer": "basic", "objects": [{"oid": ")" + kSha +
                             R"(", "size": 5, "actions": {"download": {"href": "https://cdn/x",
                                "header": {"X-A": "1"}}}}]})";
  const auto object = ParseLargeObject(answer, kSha);
  ASSERT_OK(object);
  EXPECT_EQ(*object, (LargeObject{"https://cdn/x", {{"X-A", "1"}}}));
  EXPECT_EQ(ParseLargeObject(answer, kOther).error().code, ErrorCode::kCorrupt);
  for (const auto& [what, by] :
       std::vector<std::pair<std::string, std::string>>{{"https://", "file://"},
                                                        {"https://cdn/x", "https://cdn/x\\r\\nA: b"},
                                                        {"\"1\"", "\"1\\nB: c\""},
                                                        {"\"1\"", "1"}}) {
    EXPECT_EQ(ParseLargeObject(Replaced(answer, what, by), kSha).error().code, ErrorCode::kCorrupt) << by;
  }
  const std::string missing = R"({"objects": [{"oid": ")" + kSha + R"(", "size": 5, "error": {"code": 404}}]})";
  EXPECT_EQ(ParseLargeObject(missing, kSha).error().code, ErrorCode::kNotFound);
}

TEST(TreePage, NothingInItLeadsOutOfTheCache) {
  for (const std::string path : {"../x", "/etc/passwd", "a/../../x", "", "a//b", "a\\\\b", "a\\u0000"}) {
    std::vector<RemoteFile> files;
    EXPECT_EQ(ParseTreePage(Replaced(kPage, "sub/small", path), files).error().code, ErrorCode::kCorrupt) << path;
  }
  for (const std::string oid : {"../../x", "", "A", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    std::vector<RemoteFile> files;
    EXPECT_FALSE(ParseTreePage(Replaced(kPage, kOid, oid), files)) << oid;
    EXPECT_FALSE(ParseTreePage(Replaced(kPage, kSha, oid), files)) << oid;
  }
}

TEST(TreePage, WhatBreaksItsFormIsRefused) {
  for (const auto& [what, by] : std::vector<std::pair<std::string, std::string>>{
           {"\"size\": 5", "\"size\": -5"},
           {"\"size\": 5", "\"size\": \"5\""},
           {"9000000000", "99999999999999999999"},
           {"\"type\": \"file\"", "\"type\": 1"},
           {kHash, "short"},
           {"[", "{"},
       }) {
    std::vector<RemoteFile> files;
    EXPECT_FALSE(ParseTreePage(Replaced(kPage, what, by), files)) << by;
  }
  std::vector<RemoteFile> twice = {{"a", 1, kOid, {}, {}}, {"b", 1, kOid, {}, {}}, {"a", 1, kOid, {}, {}}};
  EXPECT_EQ(SortFiles(twice).error().code, ErrorCode::kCorrupt);
}

const std::string kPlan2 =
    R"({"offset_into_first_range": 7, "terms": [
  {"hash": ")" +
    kHash + R"(", "unpacked_length": 100, "range": {"start": 2, "end": 4}},
  {"hash": ")" +
    kOther + R"(", "unpacked_length": 50, "range": {"start": 0, "end": 1}},
  {"hash": ")" +
    kHash + R"(", "unpacked_length": 60, "range": {"start": 3, "end": 4}}],
  "xorbs": {")" +
    kHash +
    R"(": [{"url": "http://h/1", "ranges": [{"chunks": {"start": 2, "end": 4}, "bytes": {"start": 10, "end": 99}}]}],
            ")" +
    kOther +
    R"(": [{"url": "http://h/2", "ranges": [{"chunks": {"start": 0, "end": 1}, "bytes": {"start": 0, "end": 57}}]}]}})";

TEST(XetPlan, BothVersionsOfItSayTheSame) {
  const auto plan = ParseXetPlan(kPlan2);
  ASSERT_OK(plan);
  EXPECT_EQ(plan->offset_into_first, 7u);
  ASSERT_EQ(plan->terms.size(), 3u);
  EXPECT_EQ(plan->terms[2], (XetPlan::Term{*xet::FromText(kHash), 60, 3, 4, 0}));
  const std::vector<XetPlan::Fetch> fetches = {{"http://h/1", 2, 4, 10, 100}, {"http://h/2", 0, 1, 0, 58}};
  EXPECT_EQ(plan->fetches, fetches);
  std::string older = kPlan2.substr(0, kPlan2.find("\"xorbs\""));
  older += R"("fetch_info": {")" + kHash + R"(": [{"url": "http://h/1", "range": {"start": 2, "end": 4},
    "url_range": {"start": 10, "end": 99}}], ")" +
           kOther + R"(": [{"url": "http://h/2", "range": {"start": 0, "end": 1},
    "url_range": {"start": 0, "end": 57}}]}})";
  const auto old = ParseXetPlan(older);
  ASSERT_OK(old);
  EXPECT_EQ(old->terms, plan->terms);
  EXPECT_EQ(old->fetches, plan->fetches);
}

TEST(XetPlan, WhatCannotBeCarriedOutIsRefused) {
  for (const auto& [what, by] : std::vector<std::pair<std::string, std::string>>{
           {"\"offset_into_first_range\": 7", "\"offset_into_first_range\": 100"},  // past the first term
           {"\"start\": 3, \"end\": 4", "\"start\": 3, \"end\": 5"},                // chunks that no fetch has
           {"\"start\": 3, \"end\": 4", "\"start\": 4, \"end\": 4"},
           {"\"start\": 10, \"end\": 99", "\"start\": 10, \"end\": 9"},
           {"\"start\": 10, \"end\": 99", "\"start\": 10, \"end\": 99999999999"},
           {"\"unpacked_length\": 60", "\"unpacked_length\": 0"},
           {"\"unpacked_length\": 60", "\"unpacked_length\": 67108865"},  // 64 MiB and one
           {"http://h/1", "file:///etc/passwd"},
           {"\"terms\"", "\"words\""},
       }) {
    EXPECT_EQ(ParseXetPlan(Replaced(kPlan2, what, by)).error().code, ErrorCode::kCorrupt) << by;
  }
}

TEST(XetGrant, NeedsAnAddressATokenAndAnEnd) {
  const std::string grant = R"({"casUrl": "https://cas/x/", "accessToken": "t", "exp": 17})";
  EXPECT_EQ(ParseXetGrant(grant).value().address, "https://cas/x");
  EXPECT_EQ(ParseXetGrant(grant).value().expires, 17);
  EXPECT_FALSE(ParseXetGrant(Replaced(grant, "https://cas/x/", "cas")));
  EXPECT_FALSE(ParseXetGrant(Replaced(grant, "17", "\"17\"")));
  EXPECT_FALSE(ParseXetGrant("[]"));
}

}  // namespace
}  // namespace bothy::client
