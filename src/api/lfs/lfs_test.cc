// git-lfs against the hub, and what its clients send in its language.
#include "api/git/git_server_testing.h"
#include "base/hex.h"
#include "codec/json.h"
#include "hub/lfs_parts.h"
#include "hub/lfs_tickets.h"
#include "hub/repository_content.h"
#include "hub/usage.h"
#include "hub/xet_grants.h"
#include "net/executor.h"
#include "net/http_client.h"

namespace bothy::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// "hello"
const std::string kHello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

struct Answered {
  int status = 0;
  net::Headers headers;
  std::string body;
  json::object json() const {
    auto value = json::Parse(body, "answer");
    EXPECT_OK(value);
    return value && value->is_object() ? value->get_object() : json::object();
  }
};

class LfsTest : public GitServerTest {
 protected:
  void SetUp() override {
    GitServerTest::SetUp();
    repository_ = Make(ada_, "demo");
  }

  Answered Send(net::Method method, const std::string& url, std::string body, const Person* person = nullptr,
                net::Headers headers = {}) {
    if (person != nullptr) headers.Add("Authorization", "Bearer " + person->token);
    Answered answered;
    net::RunToCompletion(
        Exchange({.method = method, .url = url, .headers = std::move(headers), .body = std::move(body)}, answered));
    return answered;
  }
  net::Task<void> Exchange(net::ClientRequest request, Answered& answered) {
    auto response = co_await client_.Send(request);
    EXPECT_OK(response);
    if (!response) co_return;
    answered.status = net::Number(response->status);
    answered.headers = response->headers;
    auto body = co_await net::ReadAll(*response, 128 << 20);
    EXPECT_OK(body);
    answered.body = body.value_or("");
  }

  Answered Batch(const Person& person, const std::string& fields, const std::string& oid, uint64_t size,
                 const std::string& path = "ada/demo") {
    return Send(net::Method::kPost, Address(path + ".git/info/lfs/objects/batch"),
                fmt::format(R"({{{},"objects":[{{"oid":"{}","size":{}}}]}})", fields, oid, size), &person);
  }
  static json::object ObjectOf(const Answered& answered) {
    EXPECT_EQ(answered.status, 200) << answered.body;
    const json::object whole = answered.json();
    const json::array* objects = json::FindArray(whole, "objects");
    EXPECT_TRUE(objects != nullptr && objects->size() == 1) << answered.body;
    return objects == nullptr ? json::object() : objects->at(0).as_object();
  }
  static std::string Href(const json::object& object, const std::string& action) {
    const json::object* actions = json::FindObject(object, "actions");
    const json::object* one = actions == nullptr ? nullptr : json::FindObject(*actions, action);
    return one == nullptr ? "" : json::GetString(*one, "href")->value_or("");
  }

  std::string UploadUrl(const Person& person, const std::string& oid, uint64_t size) {
    const LfsTicket ticket = {.purpose = LfsTicket::Purpose::kUpload,
                              .repository_id = repository_.id,
                              .user_id = person.actor.user_id,
                              .sha256 = oid,
                              .size = size};
    return SignLfsTicket(hub_->signatures(), ticket, hub_->now() + kLfsTicketLifetime);
  }

  bool IsStored(const std::string& oid) {
    const auto found = hub_->large_content().Find(std::span(&oid, 1));
    EXPECT_OK(found);
    return found && found->front().has_value();
  }

  // False where there is no git-lfs: the test is counted as not run.
  bool CloneWithLfs(const Person& person, const std::string& name) {
    if (Git("", {"lfs", "version"}).status != 0) return false;
    MustGit("", {"lfs", "install", "--skip-repo"});
    MustGit("", {"clone", "-q", Address(person, "ada/demo"), name});
    MustGit(name, {"lfs", "install", "--local"});
    return true;
  }

  net::HttpClient client_;
  Repository repository_;
};

TEST_F(LfsTest, ALargeFileIsPushedAndPulledByGit) {
  if (!CloneWithLfs(ada_, "work")) GTEST_SKIP() << "needs git-lfs";
  const std::string content = RandomBytes(20 << 20, 1);
  Commit("work", "model.bin", content);
  EXPECT_THAT(MustGit("work", {"show", "HEAD:model.bin"}), HasSubstr("size 20971520"));
  MustGit("work", {"push", "-q", "origin", "main"});
  ASSERT_TRUE(CloneWithLfs(bob_, "other"));
  EXPECT_TRUE(Read("other/model.bin") == content);

  Write("work/model.bin", content + "more");
  MustGit("work", {"commit", "-q", "-a", "-m", "more"});
  MustGit("work", {"push", "-q", "origin", "main"});
  MustGit("other", {"pull", "-q"});
  EXPECT_TRUE(Read("other/model.bin") == content + "more");
}

TEST_F(LfsTest, APointerWithoutItsContentIsRefused) {
  if (!CloneWithLfs(ada_, "work")) GTEST_SKIP() << "needs git-lfs";
  Commit("work", "model.bin", "hello");
  const Ran ran = Git("work", {"push", "--no-verify", "origin", "main"});  // the hook would send the content
  EXPECT_NE(ran.status, 0);
  EXPECT_THAT(ran.errors, HasSubstr("remote: \"model.bin\" points to content that has not been uploaded"));
}

TEST_F(LfsTest, FilesAreLockedAndUnlocked) {
  if (!CloneWithLfs(ada_, "work")) GTEST_SKIP() << "needs git-lfs";
  Commit("work", "model.bin", "hello");
  MustGit("work", {"push", "-q", "origin", "main"});
  MustGit("work", {"lfs", "lock", "model.bin"});
  EXPECT_THAT(MustGit("work", {"lfs", "locks"}), HasSubstr("model.bin"));
  EXPECT_NE(Git("work", {"lfs", "lock", "model.bin"}).status, 0);
  EXPECT_THAT(MustGit("work", {"lfs", "locks", "--verify"}), HasSubstr("O model.bin"));
  MustGit("work", {"lfs", "unlock", "model.bin"});
  EXPECT_THAT(MustGit("work", {"lfs", "locks"}), Not(HasSubstr("model.bin")));
}

TEST_F(LfsTest, OnlyForceOfAnOwnerBreaksTheLockOfSomebodyElse) {
  const std::string locks = Address("ada/demo.git/info/lfs/locks");
  // Bob writes to repositories of the organization, ada owns it.
  const auto organization =
      hub_->organizations().Create({.name = "org",
                                    .full_name = "",
                                    .members = {{"ada", OrganizationRole::kAdmin}, {"bob", OrganizationRole::kWrite}}},
                                   Cause::Operator());
  ASSERT_OK(organization);
  ASSERT_OK(hub_->repositories().Create(ada_.actor, {.owner_id = organization->id, .owner = "org", .name = "demo"}));
  const std::string of_org = Address("org/demo.git/info/lfs/locks");
  const auto made = Send(net::Method::kPost, of_org, R"({"path":"a.bin"})", &ada_);
  EXPECT_EQ(made.status, 201);
  const json::object lock = made.json().at("lock").as_object();
  const std::string unlock = of_org + "/" + std::string(lock.at("id").as_string()) + "/unlock";
  EXPECT_EQ(lock.at("owner").as_object().at("name").as_string(), "ada");
  EXPECT_EQ(Send(net::Method::kPost, of_org, R"({"path":"a.bin"})", &bob_).status, 409);
  EXPECT_EQ(Send(net::Method::kPost, unlock, "{}", &bob_).status, 403);
  EXPECT_EQ(Send(net::Method::kPost, unlock, R"({"force":true})", &bob_).status, 403);

  EXPECT_EQ(Send(net::Method::kPost, of_org, R"({"path":"b.bin"})", &bob_).status, 201);
  const auto verified = Send(net::Method::kPost, of_org + "/verify", R"({"limit":1})", &ada_).json();
  EXPECT_EQ(verified.at("ours").as_array().size(), 1u);
  const std::string cursor(verified.at("next_cursor").as_string());
  const auto rest = Send(net::Method::kPost, of_org + "/verify", fmt::format(R"({{"cursor":"{}"}})", cursor), &ada_);
  const json::array theirs = rest.json().at("theirs").as_array();
  ASSERT_EQ(theirs.size(), 1u);
  const std::string id(theirs[0].as_object().at("id").as_string());
  EXPECT_EQ(Send(net::Method::kPost, of_org + "/" + id + "/unlock", R"({"force":true})", &ada_).status, 200);
  EXPECT_EQ(Send(net::Method::kGet, of_org + "?path=b.bin", "", &bob_).json().at("locks").as_array().size(), 0u);

  EXPECT_EQ(Send(net::Method::kPost, locks, R"({"path":"a"})", &bob_).status, 403);
  EXPECT_EQ(Send(net::Method::kPost, locks, R"({"path":"../a"})", &ada_).status, 400);
  const auto nobody = Send(net::Method::kPost, locks, R"({"path":"a"})");
  EXPECT_EQ(nobody.status, 401);
  EXPECT_TRUE(nobody.headers.Has("LFS-Authenticate"));
  EXPECT_TRUE(nobody.json().contains("request_id"));
}

TEST_F(LfsTest, WhatIsSentIsVerifiedAndKept) {
  const auto asked = ObjectOf(Batch(ada_, R"("operation":"upload")", kHello, 5));
  const std::string href = Href(asked, "upload"), verify = Href(asked, "verify");
  const std::string body = fmt::format(R"({{"oid":"{}","size":5}})", kHello);
  EXPECT_EQ(Send(net::Method::kPost, verify, body).status, 404);
  for (const char* wrong : {"hellO", "hell", "hello!"}) {
    EXPECT_EQ(Send(net::Method::kPut, href, wrong).status, 400) << wrong;
  }
  EXPECT_FALSE(IsStored(kHello));
  EXPECT_EQ(Send(net::Method::kPut, href, "hello").status, 200);
  EXPECT_TRUE(IsStored(kHello));
  EXPECT_EQ(Send(net::Method::kPost, verify, body).status, 200);
  EXPECT_EQ(Send(net::Method::kPost, verify, fmt::format(R"({{"oid":"{}","size":6}})", kHello)).status, 422);
  EXPECT_FALSE(ObjectOf(Batch(ada_, R"("operation":"upload")", kHello, 5)).contains("actions"));
  EXPECT_TRUE(ObjectOf(Batch(ada_, R"("operation":"upload")", kHello, 6)).contains("error"));
}

TEST_F(LfsTest, AHashIsNotARight) {
  const auto asked = ObjectOf(Batch(ada_, R"("operation":"upload")", kHello, 5));
  ASSERT_EQ(Send(net::Method::kPut, Href(asked, "upload"), "hello").status, 200);
  const Repository own = Make(bob_, "own");
  // Bob has not sent it and reads no repository that has it: to him it is not there.
  const auto object = ObjectOf(Batch(bob_, R"("operation":"upload")", kHello, 5, "bob/own"));
  EXPECT_NE(Href(object, "upload"), "");
  EXPECT_EQ(Send(net::Method::kPost, Href(object, "verify"), fmt::format(R"({{"oid":"{}","size":5}})", kHello)).status,
            404);
  for (const Person* person : {&ada_, &bob_}) {
    const auto asked_for = ObjectOf(Batch(*person, R"("operation":"download")", kHello, 5));
    EXPECT_EQ(asked_for.at("error").as_object().at("code").as_int64(), 404);  // no commit of it refers to this
  }
}

TEST_F(LfsTest, WhatIsMoreThanTheQuotaIsRefusedBeforeItIsSent) {
  ASSERT_OK(SetQuota(hub_->database(), "ada", {.kind = Quota::Kind::kBytes, .bytes = 5}));
  EXPECT_NE(Href(ObjectOf(Batch(ada_, R"("operation":"upload")", kHello, 5)), "upload"), "");
  const auto refused = Batch(ada_, R"("operation":"upload")", kHello, 6);
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("Storage limit reached: the repositories of ada take 0 B of 5 B"), std::string::npos)
      << refused.body;

  const ReferredFile file = {.sha256 = kHello, .size = 5, .path = "a.bin", .ref = "refs/heads/main"};
  ASSERT_OK(AddContent(hub_->database(), repository_, {.files = std::span(&file, 1)}, hub_->now()));
  EXPECT_EQ(Batch(ada_, R"("operation":"upload")", std::string(64, 'a'), 1).status, 403);
  EXPECT_EQ(Batch(ada_, R"("operation":"upload")", kHello, 5).status, 200);  // which is there
  EXPECT_EQ(Batch(bob_, R"("operation":"download")", kHello, 5).status, 200);
  const std::string token = Address("api/models/ada/demo/xet-write-token/main");
  EXPECT_EQ(Send(net::Method::kGet, token, "", &ada_).status, 403);
  ASSERT_OK(SetQuota(hub_->database(), "ada", {.kind = Quota::Kind::kBytes, .bytes = 6}));
  EXPECT_EQ(Send(net::Method::kGet, token, "", &ada_).status, 200);
}

TEST_F(LfsTest, WhatACommitRefersToIsFetchedInPart) {
  ASSERT_EQ(
      Send(net::Method::kPut, Href(ObjectOf(Batch(ada_, R"("operation":"upload")", kHello, 5)), "upload"), "hello")
          .status,
      200);
  const ReferredFile file = {.sha256 = kHello, .size = 5, .path = "a.bin", .ref = "refs/heads/main"};
  ASSERT_OK(AddContent(hub_->database(), repository_, {.files = std::span(&file, 1)}, hub_->now()));
  const std::string href = Href(ObjectOf(Batch(bob_, R"("operation":"download")", kHello, 5)), "download");
  EXPECT_EQ(Send(net::Method::kGet, href, "").body, "hello");
  const auto part = Send(net::Method::kGet, href, "", nullptr, {{"Range", "bytes=1-3"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "ell");
  EXPECT_EQ(Send(net::Method::kGet, href, "", nullptr, {{"If-None-Match", "\"" + kHello + "\""}}).status, 304);
  EXPECT_TRUE(ObjectOf(Batch(bob_, R"("operation":"download")", kHello, 6)).contains("error"));
  // An address for fetching is none for sending.
  EXPECT_EQ(Send(net::Method::kPut, href, "hello").status, 403);
}

TEST_F(LfsTest, ForgedAddressesAreRefused) {
  const std::string href = Href(ObjectOf(Batch(ada_, R"("operation":"upload")", kHello, 5)), "upload");
  std::string forged = href;
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  for (const std::string& url :
       {forged, href.substr(0, href.find('?')), Address("lfs/objects/" + kHello + "?ticket=x")}) {
    EXPECT_EQ(Send(net::Method::kPut, url, "hello").status, 403) << url;
  }
  EXPECT_FALSE(IsStored(kHello));
}

TEST_F(LfsTest, WhoMayNotIsTold) {
  Make(ada_, "secret", true);
  EXPECT_EQ(Batch(bob_, R"("operation":"download")", kHello, 5, "ada/secret").status, 404);
  const auto nobody = Send(net::Method::kPost, Address("ada/secret.git/info/lfs/objects/batch"),
                           R"({"operation":"download","objects":[]})");
  EXPECT_EQ(nobody.status, 401);
  EXPECT_EQ(nobody.headers.Find("Content-Type"), "application/vnd.git-lfs+json");
}

TEST_F(LfsTest, WhatIsNoBatchIsRefused) {
  EXPECT_EQ(Batch(ada_, R"("operation":"steal")", kHello, 5).status, 400);
  EXPECT_EQ(Batch(ada_, R"("operation":"upload","hash_algo":"md5")", kHello, 5).status, 409);
  EXPECT_EQ(ObjectOf(Batch(ada_, R"("operation":"upload")", "../x", 5)).at("error").as_object().at("code").as_int64(),
            422);
  std::string many = R"({"operation":"download","objects":[)";
  for (int i = 0; i < 1001; i++) many += fmt::format(R"({}{{"oid":"{}","size":5}})", i == 0 ? "" : ",", kHello);
  EXPECT_EQ(Send(net::Method::kPost, Address("ada/demo.git/info/lfs/objects/batch"), many + "]}", &ada_).status, 413);
}

TEST_F(LfsTest, AVeryLargeFileIsOfferedInParts) {
  const uint64_t size = (uint64_t{2} << 30) + 1;
  const auto answered = Batch(ada_, R"("operation":"upload","transfers":["basic","multipart"])", kHello, size);
  EXPECT_EQ(answered.json().at("transfer").as_string(), "multipart");
  const json::object object = ObjectOf(answered);
  const json::object header = object.at("actions").as_object().at("upload").as_object().at("header").as_object();
  EXPECT_EQ(header.at("chunk_size").as_string(), std::to_string(kLfsPartBytes));
  EXPECT_EQ(header.size(), 1 + LfsPartCount(size));
  EXPECT_THAT(Href(object, "upload"), HasSubstr("/complete?"));
  EXPECT_EQ(Batch(ada_, R"("operation":"upload","transfers":["basic"])", kHello, size).json().at("transfer"), "basic");
}

TEST_F(LfsTest, PartsArePutTogetherInTheirOrder) {
  std::string content = RandomBytes(kLfsPartBytes + 5, 2);
  const std::string oid = EncodeHex(Sha256::Of(content));
  const std::string base = Address("lfs/objects/" + oid), ticket = "?ticket=" + UploadUrl(ada_, oid, content.size());
  const auto second = Send(net::Method::kPut, base + "/parts/2" + ticket, content.substr(kLfsPartBytes));
  const auto first = Send(net::Method::kPut, base + "/parts/1" + ticket, content.substr(0, kLfsPartBytes));
  ASSERT_EQ(first.status, 200);
  ASSERT_EQ(second.status, 200);
  EXPECT_EQ(Send(net::Method::kPut, base + "/parts/2" + ticket, "four").status, 400);
  EXPECT_EQ(Send(net::Method::kPut, base + "/parts/3" + ticket, "").status, 400);

  const auto complete = [&](const std::string& a, const std::string& b, const std::string& with) {
    return Send(net::Method::kPost, base + "/complete" + with,
                fmt::format(R"({{"oid":"{}","parts":[{{"partNumber":2,"etag":{}}},{{"partNumber":1,"etag":{}}}]}})",
                            oid, net::QuoteJson(b), net::QuoteJson(a)))
        .status;
  };
  const std::string a(first.headers.Find("ETag").value_or("")), b(second.headers.Find("ETag").value_or(""));
  EXPECT_EQ(complete(a, a, ticket), 404);
  EXPECT_EQ(complete(a, b, "?ticket=" + UploadUrl(bob_, oid, content.size())), 404);  // whose parts these are not
  EXPECT_FALSE(IsStored(oid));
  EXPECT_EQ(complete(a, b, ticket), 200);
  EXPECT_TRUE(IsStored(oid));
  EXPECT_EQ(complete(a, b, ticket), 200);  // again, by a client that did not wait
}

TEST_F(LfsTest, WhoSpeaksXetIsSentThere) {
  const auto answered = Batch(ada_,
                              R"("operation":"upload","transfers":["basic","multipart","xet"],"hash_algo":"sha_256",)"
                              R"("ref":{"name":"main"})",
                              kHello, 5);
  EXPECT_EQ(answered.json().at("transfer").as_string(), "xet");
  const json::object object = ObjectOf(answered);
  EXPECT_EQ(Href(object, "upload"), Address("api/models/ada/demo/xet-write-token/main"));
  const json::object header = object.at("actions").as_object().at("upload").as_object().at("header").as_object();
  const auto grant = OpenXetGrant(hub_->signatures(), std::string_view(header.at("X-Xet-Access-Token").as_string()));
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->write);
  EXPECT_EQ(grant->user_id, ada_.actor.user_id);
  EXPECT_EQ(header.at("X-Xet-Cas-Url").as_string(), Address("xet"));
}

}  // namespace
}  // namespace bothy::api
