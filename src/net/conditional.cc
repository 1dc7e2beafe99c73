#include "net/conditional.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "net/date.h"
#include "net/target.h"

namespace bothy::net {
namespace {

bool IsWeak(std::string_view etag) { return etag.starts_with("W/"); }
std::string_view Opaque(std::string_view etag) { return IsWeak(etag) ? etag.substr(2) : etag; }

bool IsEtag(std::string_view etag) {
  const auto opaque = Opaque(etag);
  return opaque.size() >= 2 && opaque.front() == '"' && opaque.find('"', 1) == opaque.size() - 1;
}

enum class Comparison { kStrong, kWeak };

bool Same(std::string_view a, std::string_view b, Comparison comparison) {
  if (!IsEtag(a) || !IsEtag(b) || Opaque(a) != Opaque(b)) return false;
  return comparison == Comparison::kWeak || (!IsWeak(a) && !IsWeak(b));
}

// Whether the fields of that name have the tag, or "*" and there is something.
bool Matches(const Headers& headers, std::string_view name, const Validators& validators, bool exists,
             Comparison comparison) {
  for (const std::string_view value : headers.FindAll(name)) {
    if (TrimSpaces(value) == "*" && exists) return true;
    for (const std::string_view etag : SplitList(value)) {
      if (exists && Same(etag, validators.etag, comparison)) return true;
    }
  }
  return false;
}

std::optional<int64_t> Date(const Headers& headers, std::string_view name) {
  const auto value = headers.Find(name);
  return value ? ParseHttpDate(*value) : std::nullopt;
}

std::optional<uint64_t> Decimal(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return UINT64_MAX;  // past any end, which is all that matters
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool IfRangeHolds(const Headers& headers, const Validators& validators) {
  const auto value = headers.Find("If-Range");
  if (!value) return true;
  if (value->find('"') != std::string_view::npos) return Same(*value, validators.etag, Comparison::kStrong);
  const auto date = ParseHttpDate(*value);
  return date && validators.last_modified == date;
}

}  // namespace

std::string StrongEtag(std::string_view opaque) {
  return fmt::format("\"{}\"", PercentEncode(opaque, "!#$&'()*+,/:;<=>?@[]^`{|}"));
}

Precondition EvaluatePreconditions(Method method, const Headers& headers, const Validators& validators, bool exists) {
  const bool reads = method == Method::kGet || method == Method::kHead;
  if (headers.Has("If-Match")) {
    if (!Matches(headers, "If-Match", validators, exists, Comparison::kStrong)) return Precondition::kFailed;
  } else if (const auto since = Date(headers, "If-Unmodified-Since"); since && validators.last_modified) {
    if (*validators.last_modified > *since) return Precondition::kFailed;
  }
  if (headers.Has("If-None-Match")) {
    if (!Matches(headers, "If-None-Match", validators, exists, Comparison::kWeak)) return Precondition::kProceed;
    return reads ? Precondition::kNotModified : Precondition::kFailed;
  }
  if (const auto since = Date(headers, "If-Modified-Since"); since && validators.last_modified && reads && exists) {
    if (*validators.last_modified <= *since) return Precondition::kNotModified;
  }
  return Precondition::kProceed;
}

RangeSelection SelectRange(const Headers& headers, const Validators& validators, uint64_t size) {
  const RangeSelection whole;
  const RangeSelection unsatisfiable{RangeSelection::kUnsatisfiable, {}};
  const auto value = headers.Find("Range");
  constexpr std::string_view kUnit = "bytes=";
  if (!value || !EqualsIgnoringCase(value->substr(0, kUnit.size()), kUnit)) return whole;
  if (!IfRangeHolds(headers, validators)) return whole;
  const std::string_view set = TrimSpaces(value->substr(kUnit.size()));
  const size_t dash = set.find('-');
  if (set.find(',') != std::string_view::npos || dash == std::string_view::npos) return whole;

  const std::string_view first_text = set.substr(0, dash);
  const std::string_view last_text = set.substr(dash + 1);
  const auto first = Decimal(first_text);
  const auto last = Decimal(last_text);
  if ((!first && !first_text.empty()) || (!last && !last_text.empty())) return whole;
  if (!first && !last) return whole;
  if (!first) {  // the last bytes
    if (*last == 0) return unsatisfiable;
    if (size == 0) return whole;
    const uint64_t length = std::min(*last, size);
    return {RangeSelection::kPart, {size - length, length}};
  }
  if (last && *last < *first) return whole;
  if (*first >= size) return unsatisfiable;
  const uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return {RangeSelection::kPart, {*first, end - *first + 1}};
}

std::string ContentRange(ByteRange range, uint64_t size) {
  return fmt::format("bytes {}-{}/{}", range.first, range.first + range.length - 1, size);
}

std::string UnsatisfiableContentRange(uint64_t size) { return fmt::format("bytes */{}", size); }

}  // namespace bothy::net
