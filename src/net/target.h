// What comes after the method: the target of a request, kept raw, and what is decoded from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace bothy::net {

// kInvalidArgument for an escape that is none ("%", "%zz") and for a NUL.
Result<std::string> PercentDecode(std::string_view text);

// Escapes all but letters, digits, "-._~" (RFC 3986, unreserved) and what `keep` has, "/" for a path.
std::string PercentEncode(std::string_view text, std::string_view keep = "");

// The parameters of a query or of a form, in order, repeats kept.
class QueryParameters {
 public:
  static constexpr size_t kMaxParameters = 1000;

  // "a=1&b=%2F&c": "+" is a space. kInvalidArgument for malformed escapes, kResourceExhausted for too many.
  static Result<QueryParameters> Parse(std::string_view raw, size_t max_parameters = kMaxParameters);

  // The first of that name.
  std::optional<std::string_view> Find(std::string_view name) const;
  std::vector<std::string_view> FindAll(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name).has_value(); }

  using value_type = std::pair<std::string, std::string>;
  using const_iterator = std::vector<value_type>::const_iterator;
  size_t size() const { return parameters_.size(); }
  const_iterator begin() const { return parameters_.begin(); }
  const_iterator end() const { return parameters_.end(); }

 private:
  std::vector<value_type> parameters_;
};

// A request target in its parts, nothing decoded. RFC 9112, 3.2.
struct Target {
  std::string path;       // "/api/models/a%2Fb"; "*" for OPTIONS
  std::string query;      // without "?"
  std::string authority;  // of the absolute form "http://host/path", else empty

  // kInvalidArgument for anything but the origin form, the absolute form and "*"; for fragments, spaces, control
  // characters and bytes that are not ASCII; for a path with a malformed escape or an escaped NUL.
  static Result<Target> Parse(std::string_view raw);
};

}  // namespace bothy::net
