// Media types, and which of several a client would rather have.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bothy::net {

struct MediaType {
  std::string essence;                                          // "type/subtype", in lower case
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case, values unquoted

  // Nothing where `text` is none. RFC 9110, 8.3.1.
  static std::optional<MediaType> Parse(std::string_view text);

  std::optional<std::string_view> Find(std::string_view parameter) const;
};

// How much a client wants `offer` ("type/subtype"), 0 to 1000, by its Accept field; 0: not at all. The most specific
// range of the field decides (RFC 9110, 12.5.1). No field, or an empty one: 1000.
int AcceptQuality(std::optional<std::string_view> accept, std::string_view offer);

// The offer that a client wants most, the first of equals; nothing where it wants none.
std::optional<size_t> NegotiateMediaType(std::optional<std::string_view> accept,
                                         std::span<const std::string_view> offers);

}  // namespace bothy::net
