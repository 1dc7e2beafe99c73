// Mirrors a hub that the test plays, and that can be made to misbehave.
#include "mirror/mirror.h"

#include <gmock/gmock.h>

#include <fstream>

#include "crypto/sha.h"
#include "hub/hub_testing.h"
#include "hub/names.h"
#include "hub/repository_content.h"
#include "net/conditional.h"
#include "net/server.h"
#include "store/git/commit_session.h"
#include "store/git/git_process.h"

namespace bothy {
namespace {

using net::Response;
using net::Status;
using ::testing::HasSubstr;

// A hub with one model, whose git repository is served as files are: git still reads one so.
class OriginalHub {
 public:
  explicit OriginalHub(const std::filesystem::path& folder) {
    auto made = git::GitRepository::Create(folder / "original.git");
    EXPECT_OK(made);
    git_ = *std::move(made);
    auto started = net::Server::Start({.listen = {"127.0.0.1:0"}, .access_log = {}},
                                      [this](net::Request& request) { return Handle(request); });
    EXPECT_OK(started);
    server_ = *std::move(started);
    address_ = server_->addresses().front();
  }

  const std::string& address() const { return address_; }
  git::GitRepository& git() { return *git_; }
  void GoAway() { server_.reset(); }

  std::string Commit(const std::string& path, std::string_view text, const std::string& branch = "main") {
    const git::Signature author = {.name = "Ada", .email = "ada@example.org", .time = 1};
    const auto session = git::CommitSession::Begin(git_, {.ref = git::BranchRef(branch),
                                                          .expected_parent = {},
                                                          .create_ref = true,
                                                          .author = author,
                                                          .committer = author,
                                                          .message = "Change " + path});
    EXPECT_OK(session);
    EXPECT_OK((*session)->PutFile(*git::RepoPath::Parse(path), text));
    const auto done = (*session)->Finish();
    EXPECT_OK(done);
    Publish();
    return done->commit.ToHex();
  }
  git::Pointer CommitLarge(const std::string& path, const std::string& bytes) {
    const git::Pointer pointer = {EncodeHex(Sha256::Of(bytes)), bytes.size()};
    {
      const std::lock_guard lock(mutex_);
      content_[pointer.sha256] = bytes;
    }
    Commit(path, git::FormatPointer(pointer));
    return pointer;
  }
  void Publish() { Run({"update-server-info"}); }
  std::string Run(std::vector<std::string> arguments, std::string_view input = "") {
    std::string output;
    const auto process = git::StartGit(*git_, std::move(arguments));
    EXPECT_OK(process);
    const auto status = (*process)->Exchange([&]() -> Result<std::string_view> { return std::exchange(input, {}); },
                                             [&](std::string_view text) -> Result<void> {
                                               output += text;
                                               return {};
                                             });
    EXPECT_EQ(status.value_or(-1), 0) << (*process)->error_output();
    while (output.ends_with('\n')) output.pop_back();
    return output;
  }

  // What was asked of the API.
  size_t questions() {
    const std::lock_guard lock(mutex_);
    return questions_;
  }

  std::string id = "ada/Model";
  bool is_private = false;
  std::string gated = "false";
  std::atomic<bool> damaged = false;  // the last byte of large content

 private:
  net::Task<Response> Handle(net::Request& request) {
    const std::lock_guard lock(mutex_);
    const std::string& path = request.path;
    if (path.starts_with("/api/models/")) co_return Info(path);
    if (path.ends_with("/info/lfs/objects/batch")) co_return Batch();
    if (path.starts_with("/content/")) co_return Content(request);
    const size_t rest = path.find('/', path.find('/', 1) + 1);
    const auto file = git_->path() / path.substr(std::min(rest, path.size() - 1) + 1);
    if (!std::filesystem::is_regular_file(file)) co_return Response::FromError(Status::kNotFound, "no file");
    co_return Response::Bytes(Status::kOk, "application/octet-stream", ReadTestFile(file));
  }

  Response Info(const std::string& path) {
    questions_++;
    const std::string key = NameKey(path);
    const bool known = key.starts_with("/api/models/" + NameKey(id)) || key.starts_with("/api/models/old/name");
    const size_t revision = path.find("/revision/");
    const auto commit = git::Resolve(*git_, revision == std::string::npos ? "main" : path.substr(revision + 10));
    if (!known || !commit) {
      return Response::FromError(Status::kNotFound, "nothing")
          .With("X-Error-Code", known ? "RevisionNotFound" : "RepoNotFound");
    }
    return Response::Json(Status::kOk, fmt::format(R"({{"id": "{}", "sha": "{}", "private": {}, "gated": {}}})", id,
                                                   commit->ToHex(), is_private, gated));
  }

  // Of the only one that there is.
  Response Batch() {
    const std::string& sha256 = content_.begin()->first;
    return Response::Json(
        Status::kOk,
        fmt::format(R"({{"objects": [{{"oid": "{0}", "actions": {{"download": {{"href": "{1}/content/{0}"}}}}}}]}})",
                    sha256, address_));
  }

  Response Content(const net::Request& request) {
    std::string text = content_.at(request.path.substr(9));
    if (damaged) text.back() ^= 1;
    const auto selected = net::SelectRange(request.headers, {}, text.size());
    if (selected.kind != net::RangeSelection::kPart) return Response::Bytes(Status::kOk, "x/y", text);
    return Response::Bytes(Status::kPartialContent, "x/y", text.substr(selected.part.first, selected.part.length))
        .With("Content-Range", net::ContentRange(selected.part, text.size()));
  }

  std::shared_ptr<git::GitRepository> git_;
  std::mutex mutex_;
  std::map<std::string, std::string> content_;
  size_t questions_ = 0;
  std::unique_ptr<net::Server> server_;
  std::string address_;
};

class MirrorTest : public HubTest {
 protected:
  void SetUp() override {
    HubTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Execute("DELETE FROM users");
    Execute("DELETE FROM namespaces");
    original_ = std::make_unique<OriginalHub>(folder());
    original_->Commit("README.md", "first");
    Connect();
  }
  void TearDown() override { mirror_.reset(); }

  void Connect() {
    mirror_.reset();
    metrics_ = std::make_unique<Metrics>();
    client::Endpoint endpoint;
    endpoint.address = original_->address();
    auto mirror =
        Mirror::Open(*hub_, {.endpoint = endpoint, .retries = {.attempts = 2, .wait_a_second = [] {}}}, *metrics_);
    ASSERT_OK(mirror);
    mirror_ = *std::move(mirror);
  }

  Result<bool> Bring(const std::string& owner, const std::string& name) {
    return mirror_->Bring(RepositoryKind::kModel, owner, name);
  }
  std::optional<FoundRepository> Find(const std::string& owner, const std::string& name) {
    const auto found = hub_->repositories().Find({}, RepositoryKind::kModel, owner, name);
    EXPECT_OK(found);
    return found.value_or(std::nullopt);
  }
  Repository Brought() {
    EXPECT_TRUE(Bring("ada", "model").value_or(false));
    const auto found = Find("ada", "model");
    EXPECT_TRUE(found);
    return found ? found->repository : Repository{};
  }
  std::string Head(const Repository& repository, const std::string& revision = "main") {
    const auto commit = git::Resolve(*Git(repository), revision);
    return commit ? commit->ToHex() : "";
  }

  // Everything that a client gets, and the error that it ends with.
  std::pair<std::string, std::optional<Error>> ReadAll(Arriving& file) {
    std::string all;
    std::vector<std::byte> piece(100'000);
    for (;;) {
      const auto read = file.Read(all.size(), piece);
      if (!read) return {all, read.error()};
      if (*read == 0) return {all, std::nullopt};
      all.append(reinterpret_cast<const char*>(piece.data()), *read);
    }
  }

  std::unique_ptr<OriginalHub> original_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Mirror> mirror_;
};

BOTHY_ON_BOTH_DATABASES(MirrorTest);

TEST_P(MirrorTest, BringsBranchesTagsAndTheRowsOfLargeFiles) {
  const git::Pointer pointer = original_->CommitLarge("large.bin", "large");
  const std::string side = original_->Commit("side.txt", "side", "side");
  original_->Run({"tag", "v1", side});
  original_->Publish();
  original_->gated = "\"auto\"";
  const Repository model = Brought();
  EXPECT_EQ(model.FullName(), "ada/Model");
  EXPECT_EQ(model.mirror_of, original_->address() + "/ada/Model");
  EXPECT_EQ(model.gating, Gating::kAutomatic);
  EXPECT_FALSE(model.is_private);
  EXPECT_EQ(Head(model), original_->Run({"rev-parse", "main"}));
  EXPECT_EQ(Head(model, "side"), side);
  EXPECT_EQ(Head(model, "v1"), side);
  EXPECT_EQ(ReferredSize(hub_->database(), model, pointer.sha256).value(), pointer.size);
  EXPECT_EQ(Download(model, "README.md"), "first");
  EXPECT_TRUE(Bring("ada", "model").value_or(false));
}

TEST_P(MirrorTest, RemembersForAWhileWhatIsNotThere) {
  EXPECT_FALSE(Bring("ada", "other").value_or(true));
  const size_t asked = original_->questions();
  EXPECT_FALSE(Bring("ada", "Other").value_or(true));
  EXPECT_EQ(original_->questions(), asked);
  Wait(std::chrono::seconds(61));
  EXPECT_FALSE(Bring("ada", "other").value_or(true));
  EXPECT_EQ(original_->questions(), asked + 1);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM namespaces"), 0);
}

TEST_P(MirrorTest, NeverBringsAnythingIntoANamespaceThatIsSomebodys) {
  AddUser("Ada");
  EXPECT_FALSE(Bring("ada", "model").value_or(true));
  EXPECT_EQ(original_->questions(), 0u);
  EXPECT_FALSE(Bring("api", "model").value_or(true));
  EXPECT_FALSE(Bring("..", "model").value_or(true));
}

TEST_P(MirrorTest, AFormerNameLeadsToThePresentOne) {
  EXPECT_TRUE(Bring("old", "name").value_or(false));
  const auto found = Find("old", "name");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->moved);
  EXPECT_EQ(found->repository.FullName(), "ada/Model");
}

TEST_P(MirrorTest, FollowsBranchesAndSettingsOnceInAWhile) {
  original_->Commit("side.txt", "side", "side");
  const Repository model = Brought();
  const std::string first = Head(model);
  EXPECT_FALSE(mirror_->Refresh(model, "main"));
  const git::Pointer pointer = original_->CommitLarge("large.bin", "large");
  original_->Run({"branch", "-D", "side"});
  original_->Publish();
  original_->is_private = true;
  EXPECT_FALSE(mirror_->Refresh(model, "main"));
  EXPECT_FALSE(mirror_->Refresh(model, first));
  EXPECT_EQ(Head(model), first);
  Wait(std::chrono::seconds(61));
  EXPECT_TRUE(mirror_->Refresh(model, "main"));
  EXPECT_EQ(Head(model), original_->Run({"rev-parse", "main"}));
  EXPECT_EQ(Head(model, "side"), "");
  EXPECT_EQ(Head(model, first), first);
  EXPECT_TRUE(RefersTo(hub_->database(), model, pointer.sha256).value_or(false));
  EXPECT_TRUE(Find("ada", "model")->repository.is_private);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repository_events WHERE action = 'push' AND ref = 'refs/heads/side'"), 2);
}

TEST_P(MirrorTest, ANewBranchIsBroughtWhenItIsAskedFor) {
  const Repository model = Brought();
  EXPECT_FALSE(mirror_->Refresh(model, "side"));
  const std::string side = original_->Commit("side.txt", "side", "side");
  Wait(std::chrono::seconds(61));
  EXPECT_TRUE(mirror_->Refresh(model, "side"));
  EXPECT_EQ(Head(model, "side"), side);
  const std::string tip = original_->Commit("more.txt", "more");
  EXPECT_TRUE(mirror_->Refresh(model, tip));
  EXPECT_EQ(Head(model), tip);
}

TEST_P(MirrorTest, WhatIsHereStaysWhenTheOtherHubIsAway) {
  const Repository model = Brought();
  original_->GoAway();
  Wait(std::chrono::seconds(61));
  EXPECT_FALSE(mirror_->Refresh(model, "main"));
  EXPECT_EQ(Bring("ada", "other").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(Download(model, "README.md"), "first");
}

TEST_P(MirrorTest, NothingStaysOfARepositoryThatBreaksTheRules) {
  const std::string blob = original_->Run({"rev-parse", "main:README.md"});
  const std::string tree = original_->Run({"mktree"}, fmt::format("100644 blob {}\t..\n", blob));
  original_->Run({"update-ref", "refs/heads/main",
                  original_->Run({"-c", "user.name=a", "-c", "user.email=a", "commit-tree", "-m", "x", tree})});
  original_->Publish();
  const auto brought = Bring("ada", "model");
  ASSERT_FALSE(brought);
  EXPECT_EQ(brought.error().code, ErrorCode::kCorrupt) << brought.error().message;
  EXPECT_EQ(Count("SELECT COUNT(*) FROM repositories"), 0);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM namespaces"), 0);
  EXPECT_FALSE(std::filesystem::exists(data() / "git/models/ada/Model.git"));
}

TEST_P(MirrorTest, ALargeFileComesOnceAndIsThenContentLikeAnyOther) {
  const std::string bytes = RandomBytes(20'000'000, 1);
  const git::Pointer pointer = original_->CommitLarge("large.bin", bytes);
  const Repository model = Brought();
  const auto file = mirror_->Fetch(model, pointer);
  ASSERT_OK(file);
  const auto other = mirror_->Fetch(model, pointer);
  ASSERT_OK(other);
  std::vector<std::byte> part(100);
  const auto late = (*file)->Read(18'000'000, part);
  ASSERT_OK(late);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(part.data()), *late), bytes.substr(18'000'000, *late));
  const auto [all, error] = ReadAll(**file);
  EXPECT_FALSE(error);
  EXPECT_EQ(Sha256::Of(all), Sha256::Of(bytes));
  EXPECT_EQ(ReadAll(**other).first.size(), bytes.size());
  const auto again = mirror_->Fetch(model, pointer);
  ASSERT_OK(again);
  EXPECT_EQ(*again, nullptr);
  const auto stored = hub_->large_content().Open(pointer.sha256, "large.bin");
  ASSERT_OK(stored);
  EXPECT_EQ(Sha256::Of((*stored)->ReadAll(UINT64_MAX).value()), Sha256::Of(bytes));
  mirror_.reset();
  EXPECT_TRUE(std::filesystem::is_empty(data() / "mirror"));
}

TEST_P(MirrorTest, NobodyHasTheWholeOfAWrongFile) {
  const std::string bytes = RandomBytes(1'000'000, 2);
  const git::Pointer pointer = original_->CommitLarge("large.bin", bytes);
  const Repository model = Brought();
  original_->damaged = true;
  const auto file = mirror_->Fetch(model, pointer);
  ASSERT_OK(file);
  const auto [some, error] = ReadAll(**file);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kCorrupt);
  EXPECT_THAT(error->message, HasSubstr("nothing of it was kept"));
  EXPECT_LE(some.size(), bytes.size() - Arrival::kHeldBack);
  // Not fetched again for a while; then the right one is taken.
  original_->damaged = false;
  for (auto next = mirror_->Fetch(model, pointer); next; next = mirror_->Fetch(model, pointer)) {
    EXPECT_EQ(*next, *file);  // until its thread has taken note
  }
  EXPECT_TRUE(std::filesystem::is_empty(data() / "mirror"));
  Wait(std::chrono::seconds(61));
  const auto right = mirror_->Fetch(model, pointer);
  ASSERT_OK(right);
  EXPECT_EQ(ReadAll(**right).first, bytes);
}

TEST_P(MirrorTest, WhatHasComeOfAFileIsKeptForAWeek) {
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const auto& [name, age] : std::map<std::string, int>{{"old", 8}, {"young", 6}}) {
    const auto path = data() / "mirror" / name;
    std::ofstream(path) << "part";
    std::filesystem::last_write_time(path, now - std::chrono::days(age));
  }
  Connect();
  EXPECT_FALSE(std::filesystem::exists(data() / "mirror/old"));
  EXPECT_TRUE(std::filesystem::exists(data() / "mirror/young"));
}

TEST_P(MirrorTest, AMirrorOfAThirdHubIsLeftAlone) {
  const Repository model = Brought();
  Execute("UPDATE mirrors SET address = 'https://elsewhere.example/ada/Model'");
  const Repository moved = Find("ada", "model")->repository;
  Wait(std::chrono::seconds(61));
  const size_t asked = original_->questions();
  EXPECT_FALSE(mirror_->Refresh(moved, "main"));
  EXPECT_EQ(mirror_->Fetch(moved, {std::string(64, 'a'), 1}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(original_->questions(), asked);
}

TEST_P(MirrorTest, WhoWaitsForAFileIsToldWhenTheHubStops) {
  const git::Pointer pointer = original_->CommitLarge("large.bin", RandomBytes(1000, 3));
  const Repository model = Brought();
  mirror_->Stop();
  EXPECT_FALSE(mirror_->Fetch(model, pointer));
  EXPECT_EQ(Bring("ada", "other").error().code, ErrorCode::kUnavailable);
}

TEST_P(MirrorTest, AFileForWhichThereIsNoRoomIsNotBegun) {
  const Repository model = Brought();
  for (const auto& [size, reason] : std::vector<std::pair<uint64_t, std::string>>{{Arrival::kMaxBytes + 1, "more than"},
                                                                                  {Arrival::kMaxBytes, "room for"}}) {
    const auto file = mirror_->Fetch(model, {std::string(64, 'a'), size});
    ASSERT_OK(file);
    const auto [some, error] = ReadAll(**file);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, ErrorCode::kResourceExhausted);
    EXPECT_THAT(error->message, HasSubstr(reason));
  }
  EXPECT_TRUE(std::filesystem::is_empty(data() / "mirror"));
}

}  // namespace
}  // namespace bothy
