// What the tests of the whole hub share: one with people in it, over both databases, and ways to bring content.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/base64.h"
#include "base/hex.h"
#include "hub/accounts_testing.h"
#include "hub/commits.h"
#include "hub/files.h"
#include "hub/hub.h"
#include "store/database/testing.h"
#include "store/git/commits.h"
#include "store/git/pointer.h"
#include "store/git/refs.h"
#include "store/git/tree.h"

namespace bothy {

class HubTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Start();
    ada_ = AddUser("ada");
    bob_ = AddUser("bob");
  }

  std::filesystem::path data() const { return folder() / "hub"; }

  // SQLite's database lies in the folder of data, as it does for people.
  std::string database() const { return GetParam() == Dialect::kSqlite ? "" : address(); }

  std::unique_ptr<Hub> OpenHub() {
    auto hub = Hub::Open({.data = data(), .database = database(), .clock = clock()});
    EXPECT_OK(hub);
    return hub ? *std::move(hub) : nullptr;
  }
  // As after the end of the program.
  void Start() {
    hub_.reset();
    hub_ = OpenHub();
    ASSERT_NE(hub_, nullptr);
  }

  // That of the disk, which blobs have their age from, and what a test adds.
  Clock clock() {
    return [this] { return SystemTime() + std::chrono::seconds(later_.load()); };
  }
  void Wait(std::chrono::seconds time) { later_ += time.count(); }

  Actor AddUser(const std::string& name) { return AddUserRow(hub_->database(), name); }

  Repository Make(const Actor& owner, const std::string& name) {
    auto made = hub_->repositories().Create(owner, {.owner_id = owner.user_id, .owner = owner.name, .name = name});
    EXPECT_OK(made);
    return made ? *made : Repository{};
  }

  static std::string RandomBytes(size_t size, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  }

  // As a client sends a large file; its SHA-256.
  std::string Send(const Actor& actor, std::string_view bytes) {
    const auto writer = hub_->content().CreateFile({.uploader = actor.user_id});
    EXPECT_OK(writer->Write(bytes));
    const auto file = writer->Finish();
    EXPECT_OK(file);
    return file ? EncodeHex(file->sha256) : "";
  }

  Result<CommitOutcome> TryCommit(const Actor& actor, const Repository& repository, const std::string& lines,
                                  const std::string& branch = "main") {
    const auto upload = TRY(CommitUpload::Begin(hub_->repositories(), hub_->large_content(), actor, repository,
                                                {.revision = branch, .create_pull_request = false}));
    TRY(upload->Add("{\"key\":\"header\",\"value\":{\"summary\":\"files\"}}\n" + lines));
    return upload->Finish();
  }

  static std::string LargeLine(const std::string& path, const std::string& sha256, size_t size) {
    return fmt::format(
        "{{\"key\":\"lfsFile\",\"value\":{{\"path\":\"{}\",\"algo\":\"sha256\",\"oid\":\"{}\",\"size\":{}}}}}\n", path,
        sha256, size);
  }
  static std::string TextLine(const std::string& path, std::string_view text) {
    return fmt::format(
        "{{\"key\":\"file\",\"value\":{{\"path\":\"{}\",\"encoding\":\"base64\",\"content\":\"{}\"}}}}\n", path,
        EncodeBase64(std::as_bytes(std::span(text))));
  }

  // One large file, sent and committed; its SHA-256.
  std::string CommitLarge(const Actor& actor, const Repository& repository, const std::string& path,
                          const std::string& bytes) {
    const std::string sha256 = Send(actor, bytes);
    EXPECT_OK(TryCommit(actor, repository, LargeLine(path, sha256, bytes.size())));
    return sha256;
  }
  void CommitText(const Actor& actor, const Repository& repository, const std::string& path, std::string_view text) {
    EXPECT_OK(TryCommit(actor, repository, TextLine(path, text)));
  }

  static std::shared_ptr<git::GitRepository> Git(Hub& hub, const Repository& repository) {
    auto git = hub.repositories().Open(repository);
    EXPECT_OK(git);
    return git ? *git : nullptr;
  }
  std::shared_ptr<git::GitRepository> Git(const Repository& repository) { return Git(*hub_, repository); }

  // A file of a branch as downloads give it; a text that says so where there is none.
  static std::string Download(Hub& hub, const Repository& repository, const std::string& path,
                              const std::string& branch = "main") {
    const auto read = [&]() -> Result<std::string> {
      const auto files = TRY(RepositoryFiles::Open(hub.repositories(), repository, hub.large_content()));
      const auto file = TRY(files.FindFile(TRY(files.Resolve(branch)), path));
      return TRY(files.Open(file, 1 << 20))->ReadAll(UINT64_MAX);
    };
    auto bytes = read();
    return bytes ? *std::move(bytes) : "error: " + bytes.error().message;
  }
  std::string Download(const Repository& repository, const std::string& path) {
    return Download(*hub_, repository, path);
  }

  template <class... Values>
  int64_t Count(Sql<Values...> sql, const Values&... values) {
    const auto count = hub_->database().Read([&](Transaction& t) { return t.QueryOne<int64_t>(sql, values...); });
    EXPECT_OK(count);
    return count && *count ? **count : -1;
  }
  template <class... Values>
  void Execute(Sql<Values...> sql, const Values&... values) {
    EXPECT_OK(hub_->database().Write([&](Transaction& t) { return t.Execute(sql, values...); }));
  }

  std::filesystem::path PathOf(const Repository& repository) const { return data() / "git" / repository.folder; }

  std::unique_ptr<Hub> hub_;
  Actor ada_;
  Actor bob_;

 private:
  std::atomic<int64_t> later_ = 0;  // seconds
};

}  // namespace bothy
