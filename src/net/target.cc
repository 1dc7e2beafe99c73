#include "net/target.h"

#include <algorithm>

#include "net/headers.h"

namespace bothy::net {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsUnreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

Result<std::string> Decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); i++) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Fail(ErrorCode::kInvalidArgument, "malformed percent escape at offset {}", i);
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return Fail(ErrorCode::kInvalidArgument, "NUL at offset {}", i);
    decoded.push_back(c);
  }
  return decoded;
}

}  // namespace

Result<std::string> PercentDecode(std::string_view text) { return Decode(text, false); }

std::string PercentEncode(std::string_view text, std::string_view keep) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c) || keep.find(c) != std::string_view::npos) {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

Result<QueryParameters> QueryParameters::Parse(std::string_view raw, size_t max_parameters) {
  QueryParameters query;
  while (!raw.empty()) {
    const size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view parameter = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (parameter.empty()) continue;
    if (query.size() == max_parameters) {
      return Fail(ErrorCode::kResourceExhausted, "more than {} parameters", max_parameters);
    }
    const size_t equals = std::min(parameter.find('='), parameter.size());
    std::string name = TRY_CONTEXT("parameter", Decode(parameter.substr(0, equals), true));
    const auto value = parameter.substr(std::min(equals + 1, parameter.size()));
    std::string decoded = TRY_CONTEXT("parameter", Decode(value, true));
    query.parameters_.emplace_back(std::move(name), std::move(decoded));
  }
  return query;
}

std::optional<std::string_view> QueryParameters::Find(std::string_view name) const {
  for (const auto& parameter : parameters_) {
    if (parameter.first == name) return parameter.second;
  }
  return std::nullopt;
}

std::vector<std::string_view> QueryParameters::FindAll(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& parameter : parameters_) {
    if (parameter.first == name) values.emplace_back(parameter.second);
  }
  return values;
}

Result<Target> Target::Parse(std::string_view raw) {
  if (raw.empty() || !std::ranges::all_of(raw, [](char c) { return c > ' ' && c < 0x7f; })) {
    return Fail(ErrorCode::kInvalidArgument, "the request target has characters that must be escaped");
  }
  if (raw.find('#') != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "the request target has a fragment");
  }
  Target target;
  if (raw == "*") {
    target.path = "*";
    return target;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!EqualsIgnoringCase(raw.substr(0, scheme.size()), scheme)) continue;
    raw.remove_prefix(scheme.size());
    const size_t end = std::min(raw.find_first_of("/?"), raw.size());
    target.authority = raw.substr(0, end);
    raw.remove_prefix(end);
    if (target.authority.empty() || target.authority.find('@') != std::string::npos) {
      return Fail(ErrorCode::kInvalidArgument, "the request target names no host");
    }
    if (raw.empty() || raw.front() == '?') target.path = "/";
    break;
  }
  const size_t question = std::min(raw.find('?'), raw.size());
  target.path += raw.substr(0, question);
  target.query = raw.substr(std::min(question + 1, raw.size()));
  if (target.path.empty() || target.path.front() != '/') {
    return Fail(ErrorCode::kInvalidArgument, "the request target is not a path");
  }
  TRY_CONTEXT("path", PercentDecode(target.path));
  return target;
}

}  // namespace bothy::net
