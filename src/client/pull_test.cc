// Pulls from a hub that the test plays, and that can be made to misbehave.
#include "client/pull.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>

#include "base/hex.h"
#include "base/testing.h"
#include "client/partial_file.h"
#include "codec/json.h"
#include "codec/xet/xorb_builder.h"
#include "crypto/sha.h"
#include "net/conditional.h"
#include "net/server.h"

namespace bothy::client {
namespace {

namespace fs = std::filesystem;
using net::Response;
using net::Status;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kCommit(40, 'c');
constexpr size_t kChunk = 100'000;  // of the fake storage's xorbs

std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; i++) text[i] = static_cast<char>(i * 2654435761u >> 13);
  return text;
}

std::string GitSha1(const std::string& text) {
  return EncodeHex(Sha1::Of(fmt::format("blob {}", text.size()) + '\0' + text));
}

class PullTest : public testing::Test {
 protected:
  struct Stored {
    std::string content;
    bool large = false, xet = false;
  };

  PullTest() {
    auto started = net::Server::Start({.listen = {"127.0.0.1:0"}, .access_log = {}},
                                      [this](net::Request& request) { return Handle(request); });
    EXPECT_OK(started);
    server_ = *std::move(started);
    endpoint_.address = server_->addresses().front();
    retries_.wait_a_second = [this] { waited_++; };
  }

  net::Task<Response> Handle(net::Request& request) {
    const std::lock_guard lock(mutex_);
    const auto range = request.headers.Find("Range");
    asked_.push_back(request.path + (range ? " " + std::string(*range) : ""));
    if (refuse_) {
      if (auto refusal = refuse_(request)) co_return *std::move(refusal);
    }
    if (request.path.starts_with("/api/models/ns/m/revision/")) {
      co_return Response::Json(Status::kOk, fmt::format(R"({{"id": "ns/m", "sha": "{}"}})", kCommit));
    }
    if (request.path.starts_with("/api/models/ns/m/tree/")) co_return Response::Json(Status::kOk, Tree());
    if (request.path.starts_with("/api/models/ns/m/xet-read-token/")) {
      co_return Response::Json(
          Status::kOk, fmt::format(R"({{"casUrl": "{}/cas", "accessToken": "t", "exp": 9000}})", endpoint_.address));
    }
    constexpr std::string_view kResolve = "/ns/m/resolve/";
    if (request.path.starts_with(kResolve)) co_return Content(request, request.path.substr(kResolve.size() + 41));
    if (request.path.starts_with("/cas/v2/reconstructions/")) co_return Plan(request);
    if (request.path.starts_with("/cas/xorb/")) co_return Xorb(request);
    co_return Response::FromError(Status::kNotFound, "nothing");
  }

  std::string Tree() const {
    json::array entries;
    for (const auto& [path, file] : files_) {
      json::object entry = {
          {"type", "file"}, {"path", path}, {"size", file.content.size()}, {"oid", GitSha1(file.content)}};
      if (file.large) {
        entry["lfs"] = json::object{{"oid", EncodeHex(Sha256::Of(file.content))}, {"size", file.content.size()}};
      }
      if (file.xet) entry["xetHash"] = xet::ToText(xet::ChunkHash(net::AsBytes(file.content)));
      entries.push_back(std::move(entry));
    }
    return json::Serialize(entries);
  }

  Response Content(const net::Request& request, const std::string& path) {
    std::string text = files_.at(path).content;
    if (damaged_) text.back() ^= 1;
    const auto selected = gives_parts_ ? net::SelectRange(request.headers, {}, text.size()) : net::RangeSelection{};
    const bool part = selected.kind == net::RangeSelection::kPart;
    const uint64_t begin = part ? selected.part.first : 0;
    const uint64_t length = part ? selected.part.length : text.size();
    // As far as it goes before it breaks.
    const uint64_t sent = breaks_ > 0 ? (breaks_--, std::min(length, break_at_)) : length;
    auto response = Response::Stream(
        part ? Status::kPartialContent : Status::kOk, "application/octet-stream",
        [piece = text.substr(begin, sent)](net::BodyWriter& body) { return body.Write(piece); }, length);
    if (part) response.headers.Set("Content-Range", net::ContentRange({begin, length}, text.size()));
    return response;
  }

  // All of the file's xorb that is asked for: chunks of kChunk bytes, each after its header.
  Response Plan(const net::Request& request) {
    const std::string& text = XetFile().content;
    const auto selected = net::SelectRange(request.headers, {}, text.size());
    const auto begin = static_cast<uint32_t>(selected.part.first / kChunk);
    const auto end = static_cast<uint32_t>((selected.part.first + selected.part.length + kChunk - 1) / kChunk);
    const std::string hash(64, 'e');
    const size_t raw = std::min(text.size(), end * kChunk) - begin * kChunk;
    return Response::Json(
        Status::kOk,
        fmt::format(
            R"({{"offset_into_first_range": {0}, "terms": [{{"hash": "{1}", "unpacked_length": {2}, "range": {{"start": {3}, "end": {4}}}}}],
                "xorbs": {{"{1}": [{{"url": "{5}/cas/xorb/x", "ranges": [{{"chunks": {{"start": {3}, "end": {4}}}, "bytes": {{"start": {6}, "end": {7}}}}}]}}]}}}})",
            selected.part.first - begin * kChunk, hash, raw, begin, end, endpoint_.address, begin * (kChunk + 8),
            begin * (kChunk + 8) + raw + 8 * (end - begin) - 1));
  }

  Response Xorb(const net::Request& request) {
    std::string view;
    const std::string& text = XetFile().content;
    for (size_t at = 0; at < text.size(); at += kChunk) {
      xet::AppendChunk(view, xet::Scheme::kNone, std::string_view(text).substr(at, kChunk));
    }
    if (damaged_) view[8 + kChunk] = 7;  // the second chunk's header
    const auto selected = net::SelectRange(request.headers, {}, view.size());
    auto response = Response::Bytes(Status::kPartialContent, "application/octet-stream",
                                    view.substr(selected.part.first, selected.part.length));
    response.headers.Set("Content-Range", net::ContentRange(selected.part, view.size()));
    return response;
  }
  const Stored& XetFile() const {
    return std::ranges::find_if(files_, [](const auto& named) { return named.second.xet; })->second;
  }

  Result<PullPlan> Plan(const std::string& name = "ns/m") {
    net::HttpClient client;
    HubApi api(client, endpoint_, retries_, cancelled_);
    return PlanPull(api, cache_, {.name = *ParseHubName(name), .include = {}, .exclude = {}});
  }
  // The snapshot's folder.
  Result<fs::path> Pulled(const std::string& name = "ns/m") {
    net::HttpClient client;
    HubApi api(client, endpoint_, retries_, cancelled_);
    const PullPlan plan = TRY(PlanPull(api, cache_, {.name = *ParseHubName(name), .include = {}, .exclude = {}}));
    TRY(Pull(api, cache_, plan,
             {.connections = 3,
              .progress = {},
              .note = [this](std::string_view note) { notes_ += std::string(note) + "\n"; },
              .now = [] { return 1000; }}));
    return RepositoryCache(cache_, plan.name).SnapshotPath(plan.commit);
  }
  void ExpectAllThere(const Result<fs::path>& snapshot) {
    ASSERT_OK(snapshot);
    for (const auto& [path, file] : files_) EXPECT_TRUE(ReadTestFile(*snapshot / path) == file.content) << path;
  }
  std::vector<std::string> Blobs() const {
    return FilesBelow(cache_.root() / "models--ns--m" / "blobs").value_or(std::vector<std::string>());
  }
  std::vector<std::string> Asked() {
    const std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }

  const TemporaryFolder folder_;
  const HubCache cache_{folder_.path() / "hub"};
  std::map<std::string, Stored> files_ = {{"README.md", {"# m"}}, {"empty", {""}}, {"sub/copy", {"# m"}}};
  Endpoint endpoint_;
  RetryPolicy retries_;
  std::atomic<int> waited_ = 0;
  std::atomic<bool> cancelled_ = false;
  std::string notes_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::function<std::optional<Response>(const net::Request&)> refuse_;
  bool gives_parts_ = true, damaged_ = false;
  int breaks_ = 0;
  uint64_t break_at_ = 0;
  std::unique_ptr<net::Server> server_;  // last: its threads use the others
};

TEST_F(PullTest, FilesLieInTheCacheUnderTheNamesOfTheirContents) {
  files_["large.bin"] = {Pattern(1 << 20), true};
  const auto snapshot = Pulled();
  ExpectAllThere(snapshot);
  EXPECT_EQ(fs::read_symlink(*snapshot / "sub/copy"), "../../../blobs/" + GitSha1("# m"));
  EXPECT_EQ(fs::read_symlink(*snapshot / "large.bin"), "../../blobs/" + EncodeHex(Sha256::Of(Pattern(1 << 20))));
  EXPECT_EQ(Blobs().size(), 3u);
  EXPECT_EQ(ReadTestFile(cache_.root() / "models--ns--m/refs/main"), kCommit);
  EXPECT_EQ(waited_, 0);
}

TEST_F(PullTest, WhatIsThereIsNotAskedForAgain) {
  ExpectAllThere(Pulled());
  Asked();
  ExpectAllThere(Pulled());
  EXPECT_THAT(Asked(), ElementsAre("/api/models/ns/m/revision/main"));
  ExpectAllThere(Pulled("ns/m@" + kCommit));
  EXPECT_THAT(Asked(), ElementsAre());
  server_->Stop({});
  ExpectAllThere(Pulled());
  EXPECT_THAT(Plan()->note, HasSubstr("using commit cccccccc of the cache"));
  fs::remove(cache_.root() / "models--ns--m/snapshots" / kCommit / "README.md");
  ExpectAllThere(Pulled());  // its content is there still
  fs::remove(cache_.root() / "models--ns--m/snapshots" / kCommit / "empty");
  fs::remove(cache_.root() / "models--ns--m/blobs" / GitSha1(""));
  EXPECT_THAT(Pulled().error().message, HasSubstr("not in the cache: empty"));
}

TEST_F(PullTest, ALargeFileComesInPartsOnSeveralConnections) {
  files_["large.bin"] = {Pattern(2 * PartialFile::kPartBytes + 5), true};
  ExpectAllThere(Pulled());
  const auto asked = Asked();
  const std::string address = "/ns/m/resolve/" + kCommit + "/large.bin bytes=";
  EXPECT_THAT(asked, Contains(address + "0-16777215"));
  EXPECT_THAT(asked, Contains(address + "16777216-33554431"));
  EXPECT_THAT(asked, Contains(address + "33554432-33554436"));
}

TEST_F(PullTest, ABrokenTransferGoesOnWhereItBroke) {
  files_ = {{"large.bin", {Pattern(500'000), true}}};
  breaks_ = 3, break_at_ = 100'000;
  ExpectAllThere(Pulled());
  EXPECT_THAT(Asked(), Contains("/ns/m/resolve/" + kCommit + "/large.bin bytes=300000-499999"));
  EXPECT_EQ(waited_, 3);  // a second each: every try has brought something
}

TEST_F(PullTest, WhatAnEarlierTryHasLeftIsUsed) {
  files_ = {{"large.bin", {Pattern(500'000), true}}};
  retries_.attempts = 1;
  breaks_ = 1, break_at_ = 200'000;
  EXPECT_EQ(Pulled().error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(Blobs(), ElementsAre(EncodeHex(Sha256::Of(Pattern(500'000))) + ".bothy.incomplete"));
  EXPECT_FALSE(fs::exists(cache_.root() / "models--ns--m/refs/main"));
  EXPECT_EQ(Plan()->bytes_to_fetch, 300'000u);
  Asked();
  ExpectAllThere(Pulled());
  EXPECT_THAT(Asked(), Contains("/ns/m/resolve/" + kCommit + "/large.bin bytes=200000-499999"));
}

TEST_F(PullTest, AServerWithoutPartsWillDoAlsoWhenItBreaksOff) {
  files_["large.bin"] = {Pattern(2 * PartialFile::kPartBytes + 5), true};
  gives_parts_ = false;
  breaks_ = 4, break_at_ = PartialFile::kPartBytes + 1000;
  ExpectAllThere(Pulled());
}

TEST_F(PullTest, AnotherContentThanTheHubSaidIsRefused) {
  files_ = {{"large.bin", {Pattern(500'000), true}}};
  damaged_ = true;
  const auto large = Pulled();
  EXPECT_EQ(large.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(large.error().message, HasSubstr("expected SHA-256 " + EncodeHex(Sha256::Of(Pattern(500'000)))));
  EXPECT_THAT(Blobs(), ElementsAre());
  EXPECT_FALSE(fs::exists(cache_.root() / "models--ns--m/refs/main"));
}

TEST_F(PullTest, ADamagedBeginningOfAnEarlierTryIsFetchedAnew) {
  files_ = {{"large.bin", {Pattern(500'000), true}}};
  retries_.attempts = 1;
  breaks_ = 1, break_at_ = 200'000;
  EXPECT_FALSE(Pulled());
  const fs::path partial = cache_.root() / "models--ns--m/blobs" / Blobs().front();
  std::fstream(partial, std::ios::in | std::ios::out | std::ios::binary) << "damage";
  ExpectAllThere(Pulled());
  EXPECT_THAT(notes_, HasSubstr("damaged"));
}

TEST_F(PullTest, ServersMayAskForPatience) {
  refuse_ = [tries = 0](const net::Request&) mutable -> std::optional<Response> {
    if (++tries > 2) return std::nullopt;
    return Response::FromError(tries == 1 ? Status::kTooManyRequests : Status::kServiceUnavailable, "slowly")
        .With("Retry-After", tries == 1 ? "7" : "100000");
  };
  ExpectAllThere(Pulled());
  EXPECT_EQ(waited_, 7 + 60);
}

TEST_F(PullTest, RefusalsSayWhatCanBeDone) {
  const auto refused = [&](Status status, std::string_view code, std::string_view words) {
    refuse_ = [=](const net::Request& request) -> std::optional<Response> {
      if (request.path.ends_with("/refs")) {
        return Response::Json(Status::kOk, R"({"branches": [{"name": "main"}, {"name": "dev"}], "tags": []})");
      }
      auto response = Response::FromError(status, words);
      if (!code.empty()) response.headers.Set("X-Error-Code", code);
      return response;
    };
    return Pulled("ns/m@v1").error();
  };
  const Error gated = refused(Status::kForbidden, "GatedRepo", "ask the authors");
  EXPECT_EQ(gated.code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(gated.message, HasSubstr("ask at " + endpoint_.address + "/ns/m, then set HF_TOKEN"));
  EXPECT_THAT(gated.message, HasSubstr("(the hub said 403: ask the authors)"));
  const Error revision = refused(Status::kNotFound, "RevisionNotFound", "Invalid rev id: v1");
  EXPECT_THAT(revision.message, HasSubstr("no revision v1"));
  EXPECT_THAT(revision.message, HasSubstr("; there are: main, dev"));
  refuse_ = [](const net::Request&) -> std::optional<Response> {
    return Response::FromError(Status::kNotFound, "Not\nhere").With("X-Error-Code", "RepoNotFound");
  };
  EXPECT_THAT(Pulled().error().message, HasSubstr("no token was sent"));
  endpoint_.token = "hf_x";
  EXPECT_THAT(Pulled().error().message, HasSubstr("your token may not see it"));
  refuse_ = [](const net::Request&) -> std::optional<Response> {
    return Response::FromError(Status::kUnauthorized, "Invalid credentials in Authorization header");
  };
  EXPECT_EQ(Pulled().error().code, ErrorCode::kUnauthenticated);
}

TEST_F(PullTest, TheTokenGoesToNoOtherHubThatAPageNames) {
  std::vector<std::string> asked;
  refuse_ = [&](const net::Request& request) -> std::optional<Response> {
    if (!request.path.starts_with("/api/models/ns/m/tree/")) return std::nullopt;
    asked.push_back(request.query);
    auto page = Response::Json(Status::kOk, asked.size() == 1 ? "[]" : Tree());
    if (asked.size() == 1) {
      page.headers.Set("Link", "<https://hub.invalid/api/models/ns/m/tree/" + kCommit + "?cursor=x>; rel=\"next\"");
    }
    return page;
  };
  ExpectAllThere(Pulled());
  EXPECT_THAT(asked, ElementsAre("recursive=true&expand=false", "cursor=x"));
}

TEST_F(PullTest, XetBringsPartsOfXorbs) {
  files_["large.bin"] = {Pattern(PartialFile::kPartBytes + 350'000), true, true};
  ExpectAllThere(Pulled());
  for (const std::string& asked : Asked()) EXPECT_THAT(asked, Not(HasSubstr("resolve/" + kCommit + "/large.bin")));
}

TEST_F(PullTest, WithoutXetsStorageThereIsPlainHttp) {
  files_["large.bin"] = {Pattern(400'000), true, true};
  refuse_ = [](const net::Request& request) -> std::optional<Response> {
    if (request.path.find("xet-read-token") == std::string::npos) return std::nullopt;
    return Response::FromError(Status::kNotFound, "no such route");
  };
  ExpectAllThere(Pulled());
  EXPECT_THAT(notes_, HasSubstr("going on without Xet"));
}

TEST_F(PullTest, AnAddressOfAXorbThatHasEndedIsAskedForAgain) {
  files_["large.bin"] = {Pattern(400'000), true, true};
  refuse_ = [tries = 0](const net::Request& request) mutable -> std::optional<Response> {
    if (!request.path.starts_with("/cas/xorb/") || ++tries > 1) return std::nullopt;
    return Response::FromError(Status::kForbidden, "expired");
  };
  ExpectAllThere(Pulled());
  EXPECT_EQ(waited_, 1);
}

TEST_F(PullTest, AXorbThatBreaksItsFormIsRefused) {
  files_ = {{"large.bin", {Pattern(400'000), true, true}}};
  damaged_ = true;
  EXPECT_EQ(Pulled().error().code, ErrorCode::kCorrupt);
}

TEST_F(PullTest, WhoHasCancelledGetsNothing) {
  cancelled_ = true;
  EXPECT_EQ(Pulled().error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace bothy::client
