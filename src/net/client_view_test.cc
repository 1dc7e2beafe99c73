// How a client sees the server, and which pages may use it.
#include "net/client_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "net/cors.h"

namespace bothy::net {
namespace {

using ::testing::Optional;

IpAddress Address(std::string_view text) { return IpAddress::Parse(text).value(); }

TEST(IpAddress, ReadsBothFamilies) {
  EXPECT_EQ(Address("10.1.2.3").Text(), "10.1.2.3");
  EXPECT_EQ(Address("::ffff:10.1.2.3"), Address("10.1.2.3"));
  EXPECT_EQ(Address("[2001:DB8::1]").Text(), "2001:db8::1");
  for (const char* bad : {"", "10.1.2", "10.1.2.3:80", "host", "[]", "1.2.3.256"})
    EXPECT_FALSE(IpAddress::Parse(bad)) << bad;
}

TEST(IpNetwork, ContainsWhatItsPrefixSays) {
  const auto contains = [](const char* network, const char* address) {
    return IpNetwork::Parse(network).value().Contains(Address(address));
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(contains("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(contains("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(contains("10.1.2.3", "10.1.2.2"));
  EXPECT_TRUE(contains("fd00::/8", "fd12::1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(contains("0.0.0.0/0", "fd12::1"));
  for (const char* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "::/129"}) {
    EXPECT_FALSE(IpNetwork::Parse(bad)) << bad;
  }
}

TEST(ViewOfClient, BelievesOnlyTrustedProxies) {
  const Headers headers{{"X-Forwarded-For", "6.6.6.6, 1.2.3.4"},
                        {"X-Forwarded-For", "10.0.0.2"},
                        {"X-Forwarded-Proto", "https"},
                        {"X-Forwarded-Host", "evil, hub"}};
  ClientViewOptions options;
  const auto stranger = ViewOfClient(options, Address("10.0.0.1"), false, "here:80", "local", headers);
  EXPECT_EQ(stranger.remote, "10.0.0.1");
  EXPECT_EQ(stranger.base_url, "http://here:80");
  options.trusted_proxies = {IpNetwork::Parse("10.0.0.0/8").value()};
  const auto proxy = ViewOfClient(options, Address("10.0.0.1"), false, "here:80", "local", headers);
  EXPECT_EQ(proxy.remote, "1.2.3.4");  // 6.6.6.6 is only what it says
  EXPECT_EQ(proxy.base_url, "https://hub");
}

TEST(ViewOfClient, ThePublicAddressWins) {
  ClientViewOptions options;
  options.public_url = "https://hub.example/base/";
  EXPECT_EQ(ViewOfClient(options, Address("::1"), false, "other", "local", {}).base_url, "https://hub.example/base");
  options.public_url.clear();
  EXPECT_EQ(ViewOfClient(options, Address("::1"), true, "", "[::1]:1", {}).base_url, "https://[::1]:1");
}

TEST(ViewOfClient, IgnoresForwardedRubbish) {
  ClientViewOptions options;
  options.trusted_proxies = {IpNetwork::Parse("::1").value()};
  const Headers headers{
      {"X-Forwarded-For", "unknown"}, {"X-Forwarded-Proto", "javascript"}, {"X-Forwarded-Host", "a/b"}};
  const auto view = ViewOfClient(options, Address("::1"), false, "here", "local", headers);
  EXPECT_EQ(view.remote, "::1");
  EXPECT_EQ(view.base_url, "http://here");
}

Request FromPage(std::string_view origin, Method method = Method::kGet) {
  Request request;
  request.method = method;
  request.headers.Add("Origin", origin);
  return request;
}

TEST(Cors, LetsPagesOfConfiguredOriginsSeeAnswers) {
  CorsOptions options;
  Response any;
  AddCorsHeaders(options, FromPage("https://a"), any);
  EXPECT_THAT(any.headers.Find("Access-Control-Allow-Origin"), Optional(std::string_view("*")));
  EXPECT_FALSE(any.headers.Has("Access-Control-Allow-Credentials"));
  options.origins = {"https://a"};
  Response named;
  AddCorsHeaders(options, FromPage("https://a"), named);
  EXPECT_THAT(named.headers.Find("Access-Control-Allow-Origin"), Optional(std::string_view("https://a")));
  EXPECT_THAT(named.headers.Find("Vary"), Optional(std::string_view("Origin")));
  Response other;
  AddCorsHeaders(options, FromPage("https://b"), other);
  EXPECT_FALSE(other.headers.Has("Access-Control-Allow-Origin"));
  Response none;
  AddCorsHeaders(options, Request(), none);
  EXPECT_EQ(none.headers.size(), 0u);
}

TEST(Cors, AnswersPreflights) {
  Request request = FromPage("https://a", Method::kOptions);
  EXPECT_FALSE(IsPreflight(request));
  request.headers.Add("Access-Control-Request-Method", "PUT");
  request.headers.Add("Access-Control-Request-Headers", "authorization, x-a");
  ASSERT_TRUE(IsPreflight(request));
  const Response answer = AnswerPreflight({}, request, "GET, PUT");
  EXPECT_EQ(answer.status, Status::kNoContent);
  EXPECT_THAT(answer.headers.Find("Access-Control-Allow-Methods"), Optional(std::string_view("GET, PUT")));
  EXPECT_THAT(answer.headers.Find("Access-Control-Allow-Headers"), Optional(std::string_view("authorization, x-a")));
}

}  // namespace
}  // namespace bothy::net
