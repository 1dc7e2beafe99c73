#include "net/media_type.h"

#include <algorithm>
#include <cctype>

#include "net/headers.h"

namespace bothy::net {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return lower;
}

std::string Unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string plain;
  for (size_t i = 1; i + 1 < text.size(); i++) {
    if (text[i] == '\\' && i + 2 < text.size()) i++;
    plain.push_back(text[i]);
  }
  return plain;
}

// "0.5" to 500; what is no quality counts as the highest, as if it had not been said.
int ParseQuality(std::string_view text) {
  constexpr int kHighest = 1000;
  if (text.empty() || (text[0] != '0' && text[0] != '1') || text.size() > 5) return kHighest;
  if (text.size() > 1 && text[1] != '.') return kHighest;
  int quality = (text[0] - '0') * kHighest;
  int place = kHighest / 10;
  for (const char digit : text.substr(std::min<size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return kHighest;
    quality += (digit - '0') * place;
    place /= 10;
  }
  return std::min(quality, kHighest);
}

}  // namespace

std::optional<MediaType> MediaType::Parse(std::string_view text) {
  const auto parts = SplitList(text, ';');
  if (parts.empty() || TrimSpaces(text).starts_with(';')) return std::nullopt;
  MediaType type;
  type.essence = LowerCase(parts[0]);
  const size_t slash = type.essence.find('/');
  if (slash == std::string::npos || !IsToken(std::string_view(type.essence).substr(0, slash)) ||
      !IsToken(std::string_view(type.essence).substr(slash + 1))) {
    return std::nullopt;
  }
  for (const auto& part : std::span(parts).subspan(1)) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || !IsToken(part.substr(0, equals))) return std::nullopt;
    type.parameters.emplace_back(LowerCase(part.substr(0, equals)), Unquote(part.substr(equals + 1)));
  }
  return type;
}

std::optional<std::string_view> MediaType::Find(std::string_view parameter) const {
  for (const auto& [name, value] : parameters) {
    if (name == parameter) return value;
  }
  return std::nullopt;
}

int AcceptQuality(std::optional<std::string_view> accept, std::string_view offer) {
  if (!accept || TrimSpaces(*accept).empty()) return 1000;
  const std::string wanted = LowerCase(offer);
  const std::string any_subtype = wanted.substr(0, wanted.find('/')) + "/*";
  int quality = 0;
  int best_rank = 0;  // 1: */*, 2: type/*, 3: the type itself
  for (const std::string_view element : SplitList(*accept)) {
    const auto range = MediaType::Parse(element);
    if (!range) continue;
    const int rank = range->essence == wanted ? 3 : range->essence == any_subtype ? 2 : range->essence == "*/*" ? 1 : 0;
    if (rank <= best_rank) continue;
    best_rank = rank;
    quality = ParseQuality(range->Find("q").value_or("1"));
  }
  return quality;
}

std::optional<size_t> NegotiateMediaType(std::optional<std::string_view> accept,
                                         std::span<const std::string_view> offers) {
  std::optional<size_t> best;
  int best_quality = 0;
  for (size_t i = 0; i < offers.size(); i++) {
    const int quality = AcceptQuality(accept, offers[i]);
    if (quality <= best_quality) continue;
    best_quality = quality;
    best = i;
  }
  return best;
}

}  // namespace bothy::net
