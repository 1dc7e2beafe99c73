#include "api/app.h"

#include <gtest/gtest.h>

#include "api/route.h"
#include "base/testing.h"
#include "hub/xet_grants.h"

namespace bothy::api {
namespace {

// A body in memory that counts what is read of it.
class CountedBody final : public net::RequestBody {
 public:
  explicit CountedBody(std::string text) : size_(text.size()), body_(std::move(text)) {}
  net::Task<Result<size_t>> Read(std::span<std::byte> out) override {
    const auto read = co_await body_.Read(out);
    read_ += read.value_or(0);
    co_return read;
  }
  std::optional<uint64_t> length() const override { return size_; }
  void SetLimit(uint64_t) override {}
  uint64_t read() const { return read_; }

 private:
  uint64_t size_, read_ = 0;
  net::MemoryBody body_;
};

class AppTest : public testing::Test {
 protected:
  void SetUp() override {
    auto hub = Hub::Open({.data = folder_.path()});
    ASSERT_OK(hub);
    hub_ = *std::move(hub);
    app_.emplace(*hub_, AppOptions{});
    ada_ = AddUser("ada");
    bob_ = AddUser("bob");
    const Actor actor = {.credential = Actor::Credential::kSession, .user_id = ada_, .name = "ada"};
    for (const RepositoryKind kind : kRepositoryKinds) {
      for (const bool is_private : {false, true}) {
        const auto made = hub_->repositories().Create(actor, {.kind = kind,
                                                              .owner_id = ada_,
                                                              .owner = "ada",
                                                              .name = is_private ? "hidden" : "open",
                                                              .is_private = is_private,
                                                              .license = "",
                                                              .space_sdk = ""});
        ASSERT_OK(made);
        if (kind == RepositoryKind::kModel) (is_private ? hidden_ : open_) = *made;
      }
    }
  }

  int64_t AddUser(const std::string& name) {
    const auto created = hub_->accounts().Create(
        {.name = name, .full_name = "", .email = {}, .password = "correct horse", .administrator = false},
        Cause::Operator());
    EXPECT_OK(created);
    return created ? created->user.id : 0;
  }

  CreatedToken AddToken(int64_t user, TokenRole role, TokenScopes scopes = {}) {
    const auto created = hub_->tokens().Create({.user_id = user,
                                                .name = "test",
                                                .kind = TokenKind::kAccess,
                                                .role = role,
                                                .scopes = std::move(scopes),
                                                .expires_at = {}},
                                               Cause::Operator());
    EXPECT_OK(created);
    return created ? *created : CreatedToken();
  }

  // May do `permissions` on ada/open.
  std::string FineGrained(Permissions permissions) {
    return AddToken(
               ada_, TokenRole::kFineGrained,
               {.scoped = {{.kind = ScopeKind::kModel, .id = open_.id, .name = "ada/open", .permissions = permissions}},
                .global = {},
                .read_gated_repositories = false})
        .secret;
  }

  net::Response Ask(Method method, const std::string& path, const std::string& token, CountedBody& body,
                    const std::string& query = "") {
    net::Request request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.body = &body;
    request.base_url = "http://hub";
    request.remote = "192.0.2.1";
    if (!token.empty()) request.headers.Add("Authorization", "Bearer " + token);
    return net::RunToCompletion(app_->Handle(request));
  }
  net::Response Ask(Method method, const std::string& path, const std::string& token, const std::string& query = "") {
    CountedBody body("");
    return Ask(method, path, token, body, query);
  }

  net::Response CommitTo(const std::string& revision, const std::string& token, const std::string& query = "") {
    CountedBody body(
        "{\"key\":\"header\",\"value\":{\"summary\":\"s\",\"description\":\"\"}}\n"
        "{\"key\":\"file\",\"value\":{\"path\":\"a\",\"content\":\"YQ==\",\"encoding\":\"base64\"}}\n");
    return Ask(Method::kPost, "/api/models/ada/open/commit/" + revision, token, body, query);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Hub> hub_;
  std::optional<App> app_;
  int64_t ada_ = 0, bob_ = 0;
  Repository open_, hidden_;
};

// With something in place of each parameter.
std::string PathOf(const std::string& pattern, const std::string& name) {
  std::string path;
  for (size_t i = 0; i < pattern.size(); i++) {
    if (pattern[i] != '{') {
      path += pattern[i];
      continue;
    }
    const size_t end = pattern.find('}', i);
    const std::string parameter = pattern.substr(i + 1, end - i - 1);
    path += parameter == "owner" ? "ada" : parameter == "name" ? name : "main";
    i = end;
  }
  return path;
}

TEST_F(AppTest, EveryRouteHidesARepositoryThatOneMayNotSeeAsIfItWereNotThere) {
  const std::string stranger = AddToken(bob_, TokenRole::kWrite).secret;
  size_t walked = 0;
  const Routes routes = AllRoutes();
  for (const Routes::Added& added : routes.added()) {
    if (!added.route.kind) continue;
    for (const std::string& token : {std::string(), stranger}) {
      const net::Response hidden = Ask(added.method, PathOf(added.pattern, "hidden"), token);
      const net::Response missing = Ask(added.method, PathOf(added.pattern, "missing"), token);
      EXPECT_EQ(hidden.status, Status::kNotFound) << net::MethodName(added.method) << " " << added.pattern;
      EXPECT_EQ(hidden.status, missing.status) << added.pattern;
      EXPECT_EQ(hidden.headers.Find("X-Error-Code"), kRepoNotFound) << added.pattern;
    }
    walked++;
  }
  EXPECT_GT(walked, 100u);
}

TEST_F(AppTest, EveryRouteRefusesATokenThatIsUnknownOrRevoked) {
  const CreatedToken revoked = AddToken(ada_, TokenRole::kWrite);
  ASSERT_OK(hub_->tokens().Revoke(ada_, revoked.token.id, Cause::Operator()));
  const Routes routes = AllRoutes();
  for (const Routes::Added& added : routes.added()) {
    if (added.route.granted) continue;
    for (const std::string& token : {revoked.secret, std::string("hf_forged")}) {
      EXPECT_EQ(Ask(added.method, PathOf(added.pattern, "open"), token).status, Status::kUnauthorized) << added.pattern;
    }
  }
}

TEST_F(AppTest, AFineGrainedTokenCommitsWithTheRightToWriteAlone) {
  const std::string writer = FineGrained(Permission::kReadRepositories | Permission::kWriteRepositories);
  EXPECT_EQ(CommitTo("main", writer).status, Status::kOk);
  EXPECT_EQ(Ask(Method::kGet, "/api/models/ada/open/xet-write-token/main", writer).status, Status::kOk);
  EXPECT_EQ(CommitTo("main", writer, "create_pr=1").status, Status::kForbidden);

  const std::string discusser = FineGrained(Permission::kReadRepositories | Permission::kWriteDiscussions);
  EXPECT_EQ(CommitTo("main", discusser, "create_pr=1").status, Status::kOk);
  EXPECT_EQ(CommitTo("main", discusser).status, Status::kForbidden);
  EXPECT_EQ(Ask(Method::kGet, "/api/models/ada/open/xet-write-token/main", discusser).status, Status::kForbidden);
}

// Notes what it is asked for, and has nothing.
class EmptyUpstream final : public Upstream {
 public:
  Result<bool> Bring(RepositoryKind kind, const std::string& owner, const std::string& name) override {
    asked.push_back(fmt::format("{}/{}/{}", KindPlural(kind), owner, name));
    return answer;
  }
  bool Refresh(const Repository& mirror, const std::optional<std::string>& revision) override {
    asked.push_back(fmt::format("{}@{}", mirror.FullName(), revision.value_or("*")));
    return false;
  }
  Result<std::shared_ptr<Arriving>> Fetch(const Repository&, const git::Pointer&) override {
    return Fail(ErrorCode::kUnavailable, "nothing");
  }

  Result<bool> answer = false;
  std::vector<std::string> asked;
};

TEST_F(AppTest, AnotherHubIsAskedForWhatIsReadAndNotHere) {
  EmptyUpstream upstream;
  app_.emplace(*hub_, AppOptions{.upstream = &upstream});
  EXPECT_EQ(Ask(Method::kGet, "/api/models/other/model", "").status, Status::kNotFound);
  EXPECT_EQ(Ask(Method::kGet, "/datasets/other/data/resolve/main/x", "").status, Status::kNotFound);
  EXPECT_EQ(Ask(Method::kGet, "/other/model.git/info/refs", "", "service=git-upload-pack").status,
            Status::kUnauthorized);
  EXPECT_EQ(upstream.asked,
            (std::vector<std::string>{"models/other/model", "datasets/other/data", "models/other/model"}));
  upstream.asked.clear();
  const CreatedToken revoked = AddToken(ada_, TokenRole::kWrite);
  ASSERT_OK(hub_->tokens().Revoke(ada_, revoked.token.id, Cause::Operator()));
  EXPECT_EQ(Ask(Method::kGet, "/api/models/other/model", revoked.secret).status, Status::kUnauthorized);
  EXPECT_EQ(Ask(Method::kGet, "/api/models/ada/open", "").status, Status::kOk);
  EXPECT_EQ(Ask(Method::kGet, "/api/models/ada/hidden", "").status, Status::kNotFound);
  EXPECT_EQ(Ask(Method::kPost, "/api/models/other/model/branch/x", AddToken(ada_, TokenRole::kWrite).secret).status,
            Status::kNotFound);
  EXPECT_EQ(upstream.asked, std::vector<std::string>());
  upstream.answer = Fail(ErrorCode::kUnavailable, "not yet");
  const net::Response later = Ask(Method::kGet, "/api/models/other/model", "");
  EXPECT_EQ(later.status, Status::kServiceUnavailable);
  EXPECT_TRUE(later.headers.Find("Retry-After"));
  upstream.answer = Fail(ErrorCode::kCorrupt, "not right");
  EXPECT_EQ(Ask(Method::kGet, "/api/models/other/model", "").status, Status::kBadGateway);
}

TEST_F(AppTest, AMirrorIsLookedAfterBeforeItIsReadAndChangedByNobody) {
  ASSERT_OK(hub_->database().Write([&](Transaction& t) {
    return t.Execute("INSERT INTO mirrors (repository_id, address) VALUES ($1, $2)", open_.id,
                     "https://hub.example/ada/open");
  }));
  EmptyUpstream upstream;
  app_.emplace(*hub_, AppOptions{.upstream = &upstream});
  for (const std::string path : {"", "/revision/v1", "/refs"}) {
    (void)Ask(Method::kGet, "/api/models/ada/open" + path, "");
  }
  (void)Ask(Method::kGet, "/ada/open/info/refs", "", "service=git-upload-pack");
  EXPECT_EQ(upstream.asked, (std::vector<std::string>{"ada/open@main", "ada/open@v1", "ada/open@*", "ada/open@*"}));
  const net::Response refused = CommitTo("main", AddToken(ada_, TokenRole::kWrite).secret);
  EXPECT_EQ(refused.status, Status::kForbidden);
  EXPECT_EQ(refused.headers.Find("X-Error-Message"),
            "ada/open is a mirror of https://hub.example/ada/open: change it there");
}

TEST_F(AppTest, NobodyAndReadersMayNotCommit) {
  EXPECT_EQ(CommitTo("main", "").status, Status::kUnauthorized);
  EXPECT_EQ(CommitTo("main", "", "create_pr=1").status, Status::kUnauthorized);
  EXPECT_EQ(CommitTo("main", AddToken(bob_, TokenRole::kWrite).secret).status, Status::kForbidden);
  EXPECT_EQ(CommitTo("main", AddToken(ada_, TokenRole::kRead).secret).status, Status::kForbidden);
}

TEST_F(AppTest, AShardIsNotReadBeforeItsSenderShowsAGrantForWriting) {
  const XetGrant reading = {.write = false, .repository_id = open_.id, .user_id = ada_};
  const std::string good = SignXetGrant(hub_->signatures(), reading, hub_->now() + kXetGrantLifetime);
  for (const auto& [token, status] :
       {std::pair(std::string(), Status::kUnauthorized), std::pair(std::string("hf_forged"), Status::kUnauthorized),
        std::pair(good, Status::kForbidden)}) {
    CountedBody body(std::string(1 << 20, 'x'));
    EXPECT_EQ(Ask(Method::kPost, "/xet/v1/shards", token, body).status, status) << token;
    EXPECT_EQ(body.read(), 0u);
  }
}

}  // namespace
}  // namespace bothy::api
