#include "codec/jinja/path.h"

#include <algorithm>

#include "codec/jinja/attributes.h"
#include "codec/jinja/number.h"
#include "codec/jinja/text_tools.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {

Result<AttributePath> AttributePath::Parse(Runtime& rt, const Value& attribute) {
  AttributePath path;
  if (attribute.IsNone()) return path;
  if (!attribute.IsString()) {
    path.keys_.push_back(attribute);
    return path;
  }
  TRY(rt.Bytes(attribute.text().size()));
  for (const std::string_view part : SplitText(attribute.text(), ".", std::string_view::npos)) {
    const bool digits =
        !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    const auto number = digits ? ParseInteger(rt, part, 10) : std::nullopt;
    path.keys_.push_back(number ? *number : rt.String(std::string(part)));
    TRY(rt.Step());
  }
  return path;
}

Result<std::vector<AttributePath>> AttributePath::ParseMany(Runtime& rt, const Value& attributes) {
  std::vector<AttributePath> paths;
  if (!attributes.IsString()) {
    paths.push_back(TRY(Parse(rt, attributes)));
    return paths;
  }
  for (const std::string_view part : SplitText(attributes.text(), ",", std::string_view::npos)) {
    paths.push_back(TRY(Parse(rt, rt.String(std::string(part)))));
  }
  return paths;
}

Result<Value> AttributePath::Get(Runtime& rt, const Value& item, const std::optional<Value>& otherwise) const {
  Value value = item;
  for (const Value& key : keys_) {
    value = TRY(GetItem(rt, value, key));
    if (value.IsUndefined() && otherwise) value = *otherwise;
  }
  return value;
}

Result<Value> IgnoreCase(Runtime& rt, const Value& value) {
  if (!value.IsString()) return value;
  TRY(rt.Bytes(value.text().size(), 4));
  return rt.String(Lower(value.text()));
}

}  // namespace bothy::jinja
