// What a request's conditions and range mean for one representation (RFC 9110, 13 and 14), as functions of values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/headers.h"
#include "net/status.h"

namespace bothy::net {

// What a representation is compared by.
struct Validators {
  std::string etag;                      // as it is sent, quoted: "\"abc\"" or "W/\"abc\""; empty: it has none
  std::optional<int64_t> last_modified;  // seconds since 1970
};

// "\"abc\"". What a tag cannot hold (quotes, spaces, control characters) is escaped.
std::string StrongEtag(std::string_view opaque);

enum class Precondition {
  kProceed,
  kNotModified,  // answer 304
  kFailed,       // answer 412
};

// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in the order of RFC 9110, 13.2.2. The
// representation exists unless `exists` is false.
Precondition EvaluatePreconditions(Method method, const Headers& headers, const Validators& validators,
                                   bool exists = true);

struct ByteRange {
  uint64_t first = 0;
  uint64_t length = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct RangeSelection {
  enum Kind {
    kWhole,          // 200: no range, one that is not understood, several, or If-Range says that it has changed
    kPart,           // 206
    kUnsatisfiable,  // 416
  } kind = kWhole;
  ByteRange part;
  friend bool operator==(const RangeSelection&, const RangeSelection&) = default;
};

// Range and If-Range of a GET for a representation of `size` bytes.
RangeSelection SelectRange(const Headers& headers, const Validators& validators, uint64_t size);

// "bytes 0-99/200", and "bytes */200" for what cannot be satisfied.
std::string ContentRange(ByteRange range, uint64_t size);
std::string UnsatisfiableContentRange(uint64_t size);

}  // namespace bothy::net
