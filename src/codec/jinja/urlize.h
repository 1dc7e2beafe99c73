// The urlize filter: addresses in text become links.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/jinja/runtime.h"

namespace bothy::jinja {

struct UrlizeOptions {
  std::optional<int64_t> trim;  // longest shown address
  std::string rel;
  std::string target;
  std::vector<std::string> extra_schemes;
};

// `text` is escaped for HTML already.
Result<std::string> Urlize(Runtime& rt, std::string_view text, const UrlizeOptions& options);

std::string SortedUnique(std::vector<std::string> words);  // joined by blanks
bool IsUriScheme(std::string_view text);                   // "ftp://", "tel:"

}  // namespace bothy::jinja
