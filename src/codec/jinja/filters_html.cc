// Filters for HTML and the web.
#include <fmt/format.h>

#include <array>

#include "codec/jinja/arguments.h"
#include "codec/jinja/filters.h"
#include "codec/jinja/iterate.h"
#include "codec/jinja/text.h"
#include "codec/jinja/text_tools.h"
#include "codec/jinja/urlize.h"

namespace bothy::jinja {
namespace {

using Call = Result<Value>;

Call EscapeFilter(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("escape", arguments, {}, 0));
  return Escape(rt, value);
}

Call ForceEscape(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("forceescape", arguments, {}, 0));
  return rt.String(EscapeHtml(TRY(Str(rt, value))), true);
}

Call Safe(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("safe", arguments, {}, 0));
  return rt.String(TRY(Str(rt, value)), true);
}

Call StripTagsFilter(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("striptags", arguments, {}, 0));
  return rt.String(TRY(StripTags(rt, TRY(Str(rt, value)))));
}

Call XmlAttributes(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound = TRY(Bind("xmlattr", arguments, {"autospace"}, 0));
  if (value.IsUndefined()) return FailUndefined(value);
  if (!value.IsDict()) return Fail(ErrorCode::kInvalidArgument, "xmlattr needs a dict, not {}", TypeName(value));
  std::string out;
  for (const auto& [key, item] : value.dict().entries) {
    TRY(rt.Step());
    if (item.IsNone() || item.IsUndefined()) continue;
    if (!key.IsString()) return Fail(ErrorCode::kInvalidArgument, "xmlattr needs strings as keys");
    if (key.text().find_first_of(" \t\n\r\f\v/>=") != std::string::npos) {
      return Fail(ErrorCode::kInvalidArgument, "Invalid character in attribute name: {}", QuoteString(key.text()));
    }
    if (!out.empty()) out += ' ';
    out += TRY(Escape(rt, key)).text() + "=\"" + TRY(Escape(rt, item)).text() + '"';
    TRY(rt.Fits(out.size()));
  }
  if (bound.True(0, true) && !out.empty()) out.insert(0, 1, ' ');
  return rt.String(std::move(out), rt.autoescape);
}

Result<std::string> QuoteUrl(Runtime& rt, const Value& value, bool for_query) {
  const std::string text = value.Is(Kind::kBytes) ? value.bytes().data : TRY(Str(rt, value));
  TRY(rt.Bytes(text.size(), 3));
  std::string out;
  for (const char c : text) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alphanumeric || c == '_' || c == '.' || c == '-' || c == '~' || (c == '/' && !for_query)) {
      out += c;
    } else if (c == ' ' && for_query) {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Call UrlEncode(Runtime& rt, const Value& value, const Arguments& arguments) {
  TRY(Bind("urlencode", arguments, {}, 0));
  if (value.IsString() || !IsIterable(value)) return rt.String(TRY(QuoteUrl(rt, value, false)));
  const std::vector<Value> pairs =
      TRY(ToVector(rt, value.IsDict() ? rt.DictView(value, DictViewObject::Part::kItems) : value));
  std::string out;
  for (const Value& pair : pairs) {
    const std::vector<Value> both = TRY(ToVector(rt, pair));
    if (both.size() != 2) return Fail(ErrorCode::kInvalidArgument, "urlencode needs pairs");
    if (!out.empty()) out += '&';
    out += TRY(QuoteUrl(rt, both[0], true)) + "=" + TRY(QuoteUrl(rt, both[1], true));
    TRY(rt.Fits(out.size()));
  }
  return rt.String(std::move(out));
}

Call UrlizeFilter(Runtime& rt, const Value& value, const Arguments& arguments) {
  const Bound bound =
      TRY(Bind("urlize", arguments, {"trim_url_limit", "nofollow", "target", "rel", "extra_schemes"}, 0));
  UrlizeOptions options;
  if (bound.Given(0)) options.trim = TRY(bound.Integer(0, 0));
  std::vector<std::string> rel = {"noopener"};
  if (bound.True(1)) rel.emplace_back("nofollow");
  if (bound.Given(3)) {
    for (const std::string_view word : SplitWords(TRY(bound.Text(3)), std::string_view::npos)) rel.emplace_back(word);
  }
  options.rel = SortedUnique(std::move(rel));
  if (bound.Given(2)) options.target = TRY(bound.Text(2));
  if (bound.Given(4)) {
    for (const Value& scheme : TRY(ToVector(rt, bound[4]))) {
      if (!scheme.IsString() || !IsUriScheme(scheme.text())) {
        return Fail(ErrorCode::kInvalidArgument, "{} is not a valid URI scheme prefix.", ShortRepr(scheme));
      }
      options.extra_schemes.push_back(scheme.text());
    }
  }
  return rt.String(TRY(Urlize(rt, TRY(Escape(rt, value)).text(), options)), rt.autoescape);
}

constexpr std::array kFilters = {
    NamedFilter{"tojson", ToJson},
    NamedFilter{"escape", EscapeFilter},
    NamedFilter{"e", EscapeFilter},
    NamedFilter{"forceescape", ForceEscape},
    NamedFilter{"safe", Safe},
    NamedFilter{"striptags", StripTagsFilter},
    NamedFilter{"xmlattr", XmlAttributes},
    NamedFilter{"urlencode", UrlEncode},
    NamedFilter{"urlize", UrlizeFilter},
};

}  // namespace

std::span<const NamedFilter> HtmlFilters() { return kFilters; }

}  // namespace bothy::jinja
