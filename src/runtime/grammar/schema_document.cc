#include "runtime/grammar/schema_document.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace bothy {
namespace {

// %41 and, after that, ~1 and ~0.
std::optional<std::string> UnescapeSegment(std::string_view segment) {
  std::string bytes;
  for (size_t i = 0; i < segment.size(); i++) {
    if (segment[i] != '%') {
      bytes += segment[i];
      continue;
    }
    uint8_t byte = 0;
    const std::string_view digits = segment.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() < 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    bytes += static_cast<char>(byte);
    i += 2;
  }
  std::string text;
  for (size_t i = 0; i < bytes.size(); i++) {
    const char next = i + 1 < bytes.size() ? bytes[i + 1] : '\0';
    if (bytes[i] == '~' && (next == '0' || next == '1')) {
      text += next == '0' ? '~' : '/';
      i++;
    } else {
      text += bytes[i];
    }
  }
  return text;
}

const json::value* Child(const json::value& value, std::string_view segment) {
  if (const json::object* object = value.if_object()) return object->if_contains(segment);
  const json::array* array = value.if_array();
  if (array == nullptr) return nullptr;
  size_t index = 0;
  const auto [end, error] = std::from_chars(segment.data(), segment.data() + segment.size(), index);
  if (error != std::errc() || end != segment.data() + segment.size()) return nullptr;
  return array->if_contains(index);
}

// Appends the way from `from` to `to`, where there is one.
bool FindPath(const json::value& from, const json::value& to, std::string& path) {
  if (&from == &to) return true;
  const size_t length = path.size();
  const auto below = [&](std::string_view segment, const json::value& child) {
    path += '/';
    for (const char c : segment) {
      if (c == '~') {
        path += "~0";
      } else if (c == '/') {
        path += "~1";
      } else {
        path += c;
      }
    }
    if (FindPath(child, to, path)) return true;
    path.resize(length);
    return false;
  };
  if (const json::object* object = from.if_object()) {
    return std::ranges::any_of(*object, [&](const auto& member) { return below(member.key(), member.value()); });
  }
  if (const json::array* array = from.if_array()) {
    for (size_t i = 0; i < array->size(); i++) {
      if (below(std::to_string(i), (*array)[i])) return true;
    }
  }
  return false;
}

}  // namespace

SchemaDocument::SchemaDocument(const json::value& root) : root_(root) {
  const json::object* object = root.if_object();
  const json::value* dialect = object != nullptr ? object->if_contains("$schema") : nullptr;
  if (dialect == nullptr || !dialect->is_string()) return;
  for (const std::string_view old : {"draft-03", "draft-04", "draft-06", "draft-07"}) {
    if (std::string_view(dialect->get_string()).find(old) != std::string_view::npos) references_stand_alone_ = true;
  }
}

Result<const json::value*> SchemaDocument::Resolve(std::string_view reference) const {
  const auto refuse = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalidArgument, "\"$ref\": \"{}\" {}", reference, why);
  };
  if (!reference.starts_with('#') || (reference.size() > 1 && reference[1] != '/')) {
    return refuse("is not supported: only # and JSON pointers into the same schema are");
  }
  const json::value* at = &root_;
  for (std::string_view rest = reference.substr(1); !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    const auto name = UnescapeSegment(segment);
    at = name ? Child(*at, *name) : nullptr;
    if (at == nullptr) return refuse("leads nowhere");
  }
  return at;
}

std::string SchemaDocument::PointerTo(const json::value& value) const {
  std::string path = "#";
  FindPath(root_, value, path);
  return path;
}

}  // namespace bothy
