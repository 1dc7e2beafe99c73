// For tests: a hub with two people behind a server, and the git program as its client.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "api/app.h"
#include "base/subprocess.h"
#include "base/testing.h"
#include "hub/hub.h"
#include "net/server.h"

namespace bothy::api {

struct Ran {
  int status = -1;
  std::string output;
  std::string errors;
};

class GitServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto hub = Hub::Open({.data = folder_.path() / "hub", .database = "", .clock = SystemTime});
    ASSERT_OK(hub);
    hub_ = *std::move(hub);
    app_ = std::make_unique<App>(*hub_, AppOptions{.workers = 4});
    net::ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    auto server = net::Server::Start(options, [this](net::Request& request) { return app_->Handle(request); });
    ASSERT_OK(server);
    server_ = *std::move(server);
    std::filesystem::create_directories(folder_.path() / "home");
    ada_ = AddUser("ada");
    bob_ = AddUser("bob");
  }

  void TearDown() override {
    if (server_ != nullptr) server_->Stop(std::chrono::seconds(5));
  }

  struct Person {
    Actor actor;
    std::string token;
  };
  Person AddUser(const std::string& name) {
    const auto made = hub_->accounts().Create({.name = name, .full_name = "", .email = {}, .password = "correct horse"},
                                              Cause::Operator());
    EXPECT_OK(made);
    const auto token = hub_->tokens().Create(
        {.user_id = made->user.id, .name = "git", .role = TokenRole::kWrite, .scopes = {}, .expires_at = {}},
        Cause::Operator());
    EXPECT_OK(token);
    const auto actor = hub_->tokens().Authenticate(token->secret);
    EXPECT_OK(actor);
    return {*actor, token->secret};
  }

  Repository Make(const Person& owner, const std::string& name, bool is_private = false,
                  RepositoryKind kind = RepositoryKind::kModel) {
    const auto made = hub_->repositories().Create(owner.actor, {.kind = kind,
                                                                .owner_id = owner.actor.user_id,
                                                                .owner = owner.actor.name,
                                                                .name = name,
                                                                .is_private = is_private});
    EXPECT_OK(made);
    return made.value_or(Repository{});
  }

  std::string Address(const std::string& path) const { return server_->addresses().front() + "/" + path; }
  std::string Address(const Person& person, const std::string& path) const {
    return fmt::format("http://{}:{}@127.0.0.1:{}/{}", person.actor.name, person.token, server_->port(), path);
  }

  // In a folder below the test's; "" is that itself.
  Ran Git(const std::string& in, std::vector<std::string> arguments) {
    SubprocessOptions options;
    options.arguments = {"git"};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    const char* path = std::getenv("PATH");
    options.environment = {fmt::format("PATH={}", path != nullptr ? path : "/usr/bin:/bin"),
                           fmt::format("HOME={}", (folder_.path() / "home").string()),
                           "LC_ALL=C",
                           "GIT_CONFIG_NOSYSTEM=1",
                           "GIT_TERMINAL_PROMPT=0",
                           "GIT_AUTHOR_NAME=Ada",
                           "GIT_AUTHOR_EMAIL=ada@example.org",
                           "GIT_COMMITTER_NAME=Ada",
                           "GIT_COMMITTER_EMAIL=ada@example.org"};
    options.folder = folder_.path() / in;
    options.timeout = std::chrono::minutes(2);  // only a test that fails waits as long
    Ran ran;
    const auto process = Subprocess::Start(options);
    EXPECT_OK(process);
    if (!process) return ran;
    const auto status = (*process)->Exchange([]() -> Result<std::string_view> { return std::string_view(); },
                                             [&](std::string_view text) -> Result<void> {
                                               ran.output += text;
                                               return {};
                                             });
    EXPECT_OK(status);
    ran.status = status.value_or(-1);
    ran.errors = (*process)->error_output();
    return ran;
  }

  // The same where it has to succeed: what it has written, without the last line's end.
  std::string MustGit(const std::string& in, const std::vector<std::string>& arguments) {
    Ran ran = Git(in, arguments);
    EXPECT_EQ(ran.status, 0) << "git " << arguments[0] << ": " << ran.output << ran.errors;
    if (ran.output.ends_with('\n')) ran.output.pop_back();
    return ran.output;
  }

  void Write(const std::string& path, std::string_view text) {
    std::ofstream(folder_.path() / path, std::ios::binary) << text;
  }
  std::string Read(const std::string& path) { return ReadTestFile(folder_.path() / path); }

  // A commit of one file in the clone `in`.
  void Commit(const std::string& in, const std::string& file, std::string_view text) {
    Write(in + "/" + file, text);
    MustGit(in, {"add", "--", file});
    MustGit(in, {"commit", "-q", "-m", "Change " + file});
  }

  static std::string RandomBytes(size_t size, uint32_t seed) {
    std::mt19937 random(seed);
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  }

  // The commit of a ref as the server has it; "" where there is none.
  std::string RefOf(const Repository& repository, const std::string& ref) {
    const auto git = hub_->repositories().Open(repository);
    EXPECT_OK(git);
    const Ran ran = Git(((*git)->path()).string(), {"rev-parse", "-q", "--verify", ref});
    return ran.output.substr(0, ran.output.find('\n'));
  }

  TemporaryFolder folder_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<App> app_;
  std::unique_ptr<net::Server> server_;
  Person ada_, bob_;
};

}  // namespace bothy::api
