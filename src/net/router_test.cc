#include "net/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bothy::net {
namespace {

// The route's value and its parameters, as text; the status where there is none.
std::string Find(const Router<std::string>& router, Method method, std::string_view path) {
  const auto match = router.Find(method, path);
  if (match.value == nullptr)
    return std::to_string(Number(match.status)) + (match.allow.empty() ? "" : " " + match.allow);
  std::string text = *match.value;
  for (const auto& [name, value] : match.parameters) text.append(" ").append(name).append("=").append(value);
  return text;
}

Router<std::string> Hub() {
  Router<std::string> router;
  router.Add(Method::kGet, "/", "home");
  router.Add(Method::kGet, "/api/{kind}", "list");
  router.Add(Method::kPost, "/api/repos/create", "create");
  router.Add(Method::kGet, "/api/{kind}/{namespace}/{name}", "info");
  router.Add(Method::kPut, "/api/{kind}/{namespace}/{name}/settings", "settings");
  router.Add(Method::kGet, "/api/{kind}/{namespace}/{name}/tree/{revision}", "tree");
  router.Add(Method::kGet, "/api/{kind}/{namespace}/{name}/tree/{revision}/{path...}", "tree");
  router.Add(Method::kDelete, "/api/models/{namespace}/{name}", "delete model");
  router.Add(Method::kGet, "/{namespace}/{name}/resolve/{revision}/{path...}", "resolve model");
  router.Add(Method::kGet, "/datasets/{namespace}/{name}/resolve/{revision}/{path...}", "resolve dataset");
  router.Add(Method::kGet, "/{namespace}/{name}.git/info/refs", "refs");
  router.Add(Method::kGet, "/{namespace}/{name}/info/refs", "plain refs");
  router.Add(Method::kHead, "/head", "head");
  router.Add(Method::kGet, "/head", "get");
  return router;
}

TEST(Router, FindsLiteralsAndParameters) {
  const auto router = Hub();
  EXPECT_EQ(Find(router, Method::kGet, "/"), "home");
  EXPECT_EQ(Find(router, Method::kGet, "/api/models"), "list kind=models");
  EXPECT_EQ(Find(router, Method::kGet, "/api/models/ada/demo"), "info kind=models namespace=ada name=demo");
  EXPECT_EQ(Find(router, Method::kGet, "/api/models/ada/demo/tree/main/a/b%20c"),
            "tree kind=models namespace=ada name=demo revision=main path=a/b c");
}

TEST(Router, AnEscapedSlashStaysInItsSegment) {
  const auto router = Hub();
  EXPECT_EQ(Find(router, Method::kGet, "/api/models/ada/demo/tree/refs%2Fpr%2F1"),
            "tree kind=models namespace=ada name=demo revision=refs/pr/1");
  EXPECT_EQ(Find(router, Method::kGet, "/api/models/ada/demo/tree/refs%2fpr%2f1/a%2Fb/c"),
            "tree kind=models namespace=ada name=demo revision=refs/pr/1 path=a/b/c");
  EXPECT_EQ(Find(router, Method::kGet, "/api%2Fmodels"), "404");
}

TEST(Router, LiteralsWinAndOtherPatternsAreTriedAfterThem) {
  const auto router = Hub();
  // Both "/{namespace}/..." and "/datasets/..." match.
  EXPECT_EQ(Find(router, Method::kGet, "/datasets/ada/demo/resolve/main/f"),
            "resolve dataset namespace=ada name=demo revision=main path=f");
  EXPECT_EQ(Find(router, Method::kGet, "/datasets/ada/resolve/main/f"),
            "resolve model namespace=datasets name=ada revision=main path=f");
  // "models" is a literal for DELETE only.
  EXPECT_EQ(Find(router, Method::kGet, "/api/models/a/b"), "info kind=models namespace=a name=b");
  EXPECT_EQ(Find(router, Method::kDelete, "/api/models/a/b"), "delete model namespace=a name=b");
  EXPECT_EQ(Find(router, Method::kDelete, "/api/datasets/a/b"), "405 GET, HEAD, OPTIONS");
  EXPECT_EQ(Find(router, Method::kGet, "/api/%6dodels/a/b"), "info kind=models namespace=a name=b");
}

TEST(Router, AnEndingWinsOverAPlainParameter) {
  const auto router = Hub();
  EXPECT_EQ(Find(router, Method::kGet, "/ada/demo.git/info/refs"), "refs namespace=ada name=demo");
  EXPECT_EQ(Find(router, Method::kGet, "/ada/demo/info/refs"), "plain refs namespace=ada name=demo");
  EXPECT_EQ(Find(router, Method::kGet, "/ada/.git/info/refs"), "plain refs namespace=ada name=.git");
}

TEST(Router, SaysWhichMethodsAnAddressTakes) {
  const auto router = Hub();
  EXPECT_EQ(Find(router, Method::kPost, "/api/models/a/b"), "405 GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(Find(router, Method::kGet, "/api/models/a/b/settings"), "405 PUT, OPTIONS");
  EXPECT_TRUE(router.Find(Method::kPost, "/").ToResponse().headers.Has("Allow"));
}

TEST(Router, HeadFallsToGet) {
  const auto router = Hub();
  EXPECT_EQ(Find(router, Method::kHead, "/"), "home");
  EXPECT_EQ(Find(router, Method::kHead, "/head"), "head");
}

TEST(Router, EmptySegmentsMatchNothing) {
  const auto router = Hub();
  for (const char* path :
       {"//", "/api//a/b", "/api/models/", "/api/models/a/b/", "/api/models/a/b/tree/main/", "*", ""}) {
    EXPECT_EQ(Find(router, Method::kGet, path), "404") << path;
  }
  // In the rest they are the handler's business.
  EXPECT_EQ(Find(router, Method::kGet, "/a/b/resolve/main/c//d/"),
            "resolve model namespace=a name=b revision=main path=c//d/");
}

TEST(Router, RefusesMalformedEscapesWhereverTheyAre) {
  const auto router = Hub();
  for (const char* path : {"/%", "/api/%zz", "/nothing/here/%00", "/a/b/resolve/main/%0"}) {
    EXPECT_EQ(Find(router, Method::kGet, path), "400") << path;
  }
}

TEST(Router, ShowsItsTable) {
  const auto router = Hub();
  EXPECT_EQ(router.routes().front().pattern, "/");
  EXPECT_EQ(router.Find(Method::kGet, "/api/models").pattern, "/api/{kind}");
  EXPECT_EQ(router.Find(Method::kGet, "/api/models").Parameter("kind"), "models");
  EXPECT_EQ(router.Find(Method::kGet, "/api/models").Parameter("none"), "");
}

TEST(RouterDeathTest, PatternsAreCheckedWhenTheyAreAdded) {
  for (const char* pattern : {"a", "/{", "/{}", "/{a...}/b", "/{a}/{a}", "/a{b}"}) {
    Router<int> router;
    EXPECT_DEATH(router.Add(Method::kGet, pattern, 0), "check failed") << pattern;
  }
  Router<int> router;
  router.Add(Method::kGet, "/{a}", 0);
  EXPECT_DEATH(router.Add(Method::kGet, "/{b}", 0), "check failed");
}

}  // namespace
}  // namespace bothy::net
