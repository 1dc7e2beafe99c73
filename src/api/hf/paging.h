// Lists that are given in pages: ?limit= and ?cursor=, and the Link to the next one.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "api/route.h"
#include "net/header_values.h"

namespace bothy::api {

// A parameter that is a number of at least 1; `fallback` where it is missing.
inline Result<int64_t> PositiveParameter(const Call& call, std::string_view name, int64_t fallback) {
  const std::string_view text = call.Query(name);
  if (text.empty()) return fallback;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 1) return number;
  return Fail(ErrorCode::kInvalidArgument, "parameter \"{}\": expected a number of at least 1, found \"{}\"", name,
              text.substr(0, 100));
}

// That the list goes on behind `cursor`, asked for as it was now.
inline void AddNextPage(const Call& call, int64_t limit, std::string_view cursor, Response& response) {
  std::string address = fmt::format("{}{}?", call.request.base_url, call.request.path);
  for (const auto& [name, value] : call.query) {
    if (name == "limit" || name == "cursor") continue;
    address += fmt::format("{}={}&", net::PercentEncode(name), net::PercentEncode(value));
  }
  address += fmt::format("limit={}&cursor={}", limit, net::PercentEncode(cursor));
  response.headers.Set("Link", net::Link(address, "next"));
}

}  // namespace bothy::api
