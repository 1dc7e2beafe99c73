#include "codec/jinja/urlize.h"

#include <algorithm>
#include <array>

#include "codec/jinja/text.h"
#include "codec/jinja/text_tools.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {
namespace {

bool IsDigits(std::string_view text, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool AllOf(std::string_view text, bool (*is)(char32_t)) {
  for (size_t i = 0; i < text.size();) {
    if (!is(NextCodePoint(text, i))) return false;
  }
  return true;
}

bool IsLabelCharacter(char32_t c) { return IsWordCharacter(c) || c == '%' || c == '-'; }
bool IsHexOrColon(char32_t c) {
  return c < 0x80 && std::string_view("0123456789abcdefABCDEF:").find(static_cast<char>(c)) != std::string_view::npos;
}

std::string LowerAscii(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// Behind the host: a port of one to five digits, then a path, query or fragment.
bool IsAfterHost(std::string_view rest) {
  if (rest.starts_with(':')) {
    const size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end < 2 || end > 6) return false;
    rest.remove_prefix(end);
  }
  return rest.empty() || rest[0] == '/' || rest[0] == '?' || rest[0] == '#';
}

bool IsTopLevel(std::string_view label) {
  const std::string lower = LowerAscii(label);
  const bool letters = std::all_of(lower.begin(), lower.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (letters && lower.size() >= 2 && lower.size() <= 63) return true;
  if (!lower.starts_with("xn--")) return false;
  const std::string_view rest = label.substr(4);
  const size_t length = CountCodePoints(rest);
  return length >= 2 && length <= 59 && rest.find('-') == std::string_view::npos && AllOf(rest, IsLabelCharacter);
}

bool IsBasicTopLevel(std::string_view label) {
  constexpr std::array<std::string_view, 8> kNames = {"com", "net", "int", "edu", "gov", "org", "info", "mil"};
  return std::find(kNames.begin(), kNames.end(), LowerAscii(label)) != kNames.end();
}

bool IsAddress(std::string_view host) {
  const auto parts = SplitText(host, ".", std::string_view::npos);
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](auto p) { return IsDigits(p, 1, 3); });
}

// [hex:hex:...] with two to eight groups, of up to four digits each.
bool IsAddress6(std::string_view host) {
  if (!host.starts_with('[') || !host.ends_with(']')) return false;
  const std::string_view inside = host.substr(1, host.size() - 2);
  if (!AllOf(inside, IsHexOrColon)) return false;
  const auto groups = SplitText(inside, ":", std::string_view::npos);
  return groups.size() >= 3 && groups.size() <= 9 &&
         std::all_of(groups.begin(), groups.end(), [](auto group) { return group.size() <= 4; });
}

bool IsWebAddress(std::string_view text) {
  const std::string lower = LowerAscii(text.substr(0, 8));
  const size_t scheme = lower.starts_with("https://") ? 8 : lower.starts_with("http://") ? 7 : 0;
  const bool www = lower.starts_with("www.");
  std::string_view rest = text.substr(www ? 4 : scheme);
  size_t host_end = std::min(rest.find_first_of(":/?#"), rest.size());
  if (rest.starts_with('[')) host_end = std::min(rest.find(']'), rest.size() - 1) + 1;
  const std::string_view host = rest.substr(0, host_end);
  if (host.empty() || !IsAfterHost(rest.substr(host_end))) return false;
  if (scheme > 0 && (IsAddress(host) || IsAddress6(host))) return true;
  const auto labels = SplitText(host, ".", std::string_view::npos);
  for (size_t i = 0; i + 1 < labels.size(); ++i) {
    const size_t length = CountCodePoints(labels[i]);
    const bool fits = scheme > 0 || www ? length > 0 : length >= 2 && length <= 63;
    if (!fits || !AllOf(labels[i], IsLabelCharacter)) return false;
  }
  if (scheme > 0 || www) return IsTopLevel(labels.back());
  return labels.size() > 1 && IsBasicTopLevel(labels.back());
}

bool IsMailAddress(std::string_view text) {
  const size_t at = text.rfind('@');  // a domain holds none
  if (at == std::string_view::npos || at == 0) return false;
  const std::string_view domain = text.substr(at + 1);
  const size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == domain.size()) return false;
  size_t first = 0;
  if (!IsWordCharacter(NextCodePoint(domain, first))) return false;
  const auto allowed = [](char32_t c) { return IsWordCharacter(c) || c == '.' || c == '-'; };
  return AllOf(domain, allowed) && AllOf(domain.substr(dot + 1), IsWordCharacter);
}

// Takes any number of the given texts from the front or the end; what was taken.
std::string TakeFront(std::string_view& text, std::initializer_list<std::string_view> parts) {
  std::string taken;
  for (bool more = true; more;) {
    more = false;
    for (const std::string_view part : parts) {
      if (!text.starts_with(part)) continue;
      taken += part;
      text.remove_prefix(part.size());
      more = true;
    }
  }
  return taken;
}

std::string TakeBack(std::string_view& text, std::initializer_list<std::string_view> parts) {
  const std::string_view whole = text;
  for (bool more = true; more;) {
    more = false;
    for (const std::string_view part : parts) {
      if (!text.ends_with(part)) continue;
      text.remove_suffix(part.size());
      more = true;
    }
  }
  return std::string(whole.substr(text.size()));
}

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

std::string Link(std::string_view word, const UrlizeOptions& options) {
  std::string attributes;
  if (!options.rel.empty()) attributes += " rel=\"" + EscapeHtml(options.rel) + "\"";
  if (!options.target.empty()) attributes += " target=\"" + EscapeHtml(options.target) + "\"";
  std::string middle(word);
  const auto anchor = [&](std::string_view href, std::string_view text, bool plain) {
    return "<a href=\"" + std::string(href) + "\"" + (plain ? "" : attributes) + ">" + std::string(text) + "</a>";
  };
  if (IsWebAddress(middle)) {
    std::string shown = middle;
    if (options.trim && static_cast<int64_t>(CountCodePoints(middle)) > *options.trim) {
      // A negative limit counts from the end, as Python's slices do.
      const int64_t keep = *options.trim >= 0
                               ? *options.trim
                               : std::max<int64_t>(static_cast<int64_t>(CountCodePoints(middle)) + *options.trim, 0);
      shown = std::string(FirstCodePoints(middle, static_cast<size_t>(keep))) + "...";
    }
    const bool has_scheme = middle.starts_with("https://") || middle.starts_with("http://");
    return anchor(has_scheme ? middle : "https://" + middle, shown, false);
  }
  if (middle.starts_with("mailto:") && IsMailAddress(middle.substr(7))) return anchor(middle, middle.substr(7), true);
  if (middle.find('@') != std::string::npos && !middle.starts_with("www.") && !middle.starts_with("@") &&
      middle.find(':') == std::string::npos && IsMailAddress(middle)) {
    return anchor("mailto:" + middle, middle, true);
  }
  for (const std::string& scheme : options.extra_schemes) {
    if (middle != scheme && middle.starts_with(scheme)) middle = anchor(middle, middle, false);
  }
  return middle;
}

std::string LinkWord(std::string_view word, const UrlizeOptions& options) {
  std::string_view middle = word;
  const std::string head = TakeFront(middle, {"(", "<", "&lt;"});
  std::string_view before = middle;
  std::string tail = TakeBack(middle, {")", ">", ".", ",", "\n", "&gt;"});
  // Brackets that were opened inside the address are closed inside it.
  constexpr std::pair<std::string_view, std::string_view> kBrackets[] = {{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}};
  for (const auto& [open, close] : kBrackets) {
    const size_t opened = CountOf(middle, open);
    if (opened <= CountOf(middle, close)) continue;
    size_t taken = 0;  // of the tail
    for (size_t i = std::min(opened, CountOf(tail, close)); i > 0; --i) taken = tail.find(close, taken) + close.size();
    middle = before.substr(0, middle.size() + taken);
    tail.erase(0, taken);
  }
  return head + Link(middle, options) + tail;
}

}  // namespace

Result<std::string> Urlize(Runtime& rt, std::string_view text, const UrlizeOptions& options) {
  TRY(rt.Bytes(text.size(), 4));
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    const bool space = IsSpace(NextCodePoint(text, end));
    for (size_t next = end; next < text.size() && IsSpace(NextCodePoint(text, next)) == space;) end = next;
    const std::string_view word = text.substr(i, end - i);
    TRY(rt.Step(1 + options.extra_schemes.size()));
    if (space) {
      out += word;
    } else {
      out += LinkWord(word, options);
    }
    TRY(rt.Fits(out.size()));
    i = end;
  }
  return out;
}

std::string SortedUnique(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

bool IsUriScheme(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = text.substr(0, colon);
  const std::string_view slashes = text.substr(colon + 1);
  const auto allowed = [](char32_t c) { return IsWordCharacter(c) || c == '.' || c == '+' || c == '-'; };
  return CountCodePoints(name) >= 2 && AllOf(name, allowed) && (slashes.empty() || slashes == "/" || slashes == "//");
}

}  // namespace bothy::jinja
