// Values of single fields that need quoting: file names, links.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bothy::net {

// `attachment; filename="a.txt"`, and for a name that is not plain ASCII filename*= beside a fallback (RFC 6266, 8187).
// `name` is UTF-8.
std::string ContentDisposition(std::string_view kind, std::string_view name);

// `<https://host/path?cursor=x>; rel="next"` (RFC 8288). Characters that would end the address are escaped.
std::string Link(std::string_view address, std::string_view relation);

// The address that a Link field gives for a relation.
std::optional<std::string> FindLink(std::string_view field, std::string_view relation);

}  // namespace bothy::net
