#include <cstdlib>

#include "net/client_view.h"
#include "net/conditional.h"
#include "net/date.h"
#include "net/header_values.h"
#include "net/media_type.h"
#include "net/router.h"
#include "net/target.h"

using namespace bothy;
using namespace bothy::net;

namespace {

Router<int> MakeRouter() {
  Router<int> router;
  int number = 0;
  for (const char* pattern : {"/", "/api/{kind}", "/api/{kind}/{a}/{b}/tree/{r}/{path...}", "/api/models/{a}/{b}",
                              "/{a}/{b}.git/info/refs", "/{a}/{b}/resolve/{r}/{path...}", "/{path...}"}) {
    router.Add(Method::kGet, pattern, number++);
  }
  return router;
}

}  // namespace

// Targets, queries, routes, and every header value that is read as a value.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Router<int> router = MakeRouter();
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (text.find('\0') == std::string_view::npos) {
    if (PercentDecode(PercentEncode(text)) != std::string(text)) std::abort();
    if (PercentDecode(PercentEncode(text, "/")) != std::string(text)) std::abort();
  }
  if (const auto target = Target::Parse(text)) {
    const auto match = router.Find(Method::kGet, target->path);
    if (match.status == Status::kBadRequest) std::abort();  // Parse has looked at the escapes
    for (const auto& [name, value] : match.parameters) {
      if (value.empty() || value.find('\0') != std::string::npos) std::abort();
    }
    (void)QueryParameters::Parse(target->query);
  }
  (void)router.Find(Method::kHead, text);
  (void)QueryParameters::Parse(text);

  if (const auto date = ParseHttpDate(text); date && ParseHttpDate(FormatHttpDate(*date)) != date) std::abort();
  (void)MediaType::Parse(text);
  (void)AcceptQuality(text, "text/html");
  (void)FindLink(text, "next");
  (void)ContentDisposition("attachment", text);
  (void)IpNetwork::Parse(text);
  const std::string quoted = QuoteJson(text);
  if (quoted.find('\n') != std::string::npos) std::abort();

  Headers headers;
  headers.Add("Range", text);
  headers.Add("If-None-Match", text);
  headers.Add("If-Range", text);
  headers.Add("X-Forwarded-For", text);
  const auto range = SelectRange(headers, {"\"a\"", 5}, 1000);
  if (range.kind == RangeSelection::kPart && (range.part.length == 0 || range.part.first + range.part.length > 1000)) {
    std::abort();
  }
  (void)EvaluatePreconditions(Method::kGet, headers, {"\"a\"", 5});
  ClientViewOptions options;
  options.trusted_proxies = {*IpNetwork::Parse("0.0.0.0/0")};
  (void)ViewOfClient(options, *IpAddress::Parse("127.0.0.1"), false, "a", "b", headers);
  return 0;
}
