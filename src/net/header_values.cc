#include "net/header_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/headers.h"
#include "net/target.h"

namespace bothy::net {

std::string ContentDisposition(std::string_view kind, std::string_view name) {
  std::string fallback;
  bool plain = true;
  for (const char c : name) {
    const bool printable = c >= ' ' && c < 0x7f;
    plain = plain && printable;
    // Old clients take an escape in the plain form for one, and a backslash for the end of a folder.
    const bool risky = c == '"' || c == '\\' || c == '%' || c == '/';
    plain = plain && !risky;
    const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;  // of a character already replaced
    if (!continues) fallback.push_back(printable && !risky ? c : '_');
  }
  const std::string value = fmt::format("{}; filename=\"{}\"", kind, fallback);
  if (plain) return value;
  return fmt::format("{}; filename*=UTF-8''{}", value, PercentEncode(name, "!#$&+^`|"));  // RFC 8187, attr-char
}

std::string Link(std::string_view address, std::string_view relation) {
  return fmt::format("<{}>; rel=\"{}\"", PercentEncode(address, ":/?#[]@!$&'()*+,;=%"), relation);
}

std::optional<std::string> FindLink(std::string_view field, std::string_view relation) {
  // An address may have commas, so links are found by their brackets.
  while (!field.empty()) {
    const size_t open = field.find('<');
    const size_t close = field.find('>', open == std::string_view::npos ? field.size() : open);
    if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
    const std::string_view address = field.substr(open + 1, close - open - 1);
    field.remove_prefix(close + 1);
    const std::string_view rest = field.substr(0, std::min(field.find('<'), field.size()));
    for (std::string_view part : SplitList(rest.substr(0, std::min(rest.rfind(','), rest.size())), ';')) {
      if (!EqualsIgnoringCase(part.substr(0, 4), "rel=")) continue;
      part.remove_prefix(4);
      if (part.size() >= 2 && part.front() == '"' && part.back() == '"') part = part.substr(1, part.size() - 2);
      for (std::string_view one : SplitList(part, ' ')) {
        if (EqualsIgnoringCase(one, relation)) return std::string(address);
      }
    }
  }
  return std::nullopt;
}

}  // namespace bothy::net
