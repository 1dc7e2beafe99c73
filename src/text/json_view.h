// A look into a large JSON file by simdjson, with errors that name the key. Only for the readers of tokenizer.json.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace bothy {

class JsonView {
 public:
  using Element = simdjson::dom::element;

  JsonView(Element element, std::string path) : element_(element), path_(std::move(path)) {}

  const std::string& path() const { return path_; }  // for messages: pre_tokenizer.pretokenizers[1]
  Element element() const { return element_; }

  tl::unexpected<Error> Wrong(std::string_view problem) const {
    return Fail(ErrorCode::kCorrupt, "key \"{}\": {}", path_, problem);
  }

  // A member that is there and not null.
  std::optional<JsonView> Find(std::string_view key) const {
    Element member;
    if (element_.at_key(key).get(member) != simdjson::SUCCESS || member.is_null()) return std::nullopt;
    return JsonView(member, path_.empty() ? std::string(key) : path_ + "." + std::string(key));
  }
  Result<JsonView> Need(std::string_view key) const {
    if (auto member = Find(key)) return *std::move(member);
    return Fail(ErrorCode::kCorrupt, "key \"{}{}{}\" is missing", path_, path_.empty() ? "" : ".", key);
  }

  Result<std::string_view> String() const { return As<std::string_view>("a string"); }
  Result<int64_t> Integer() const { return As<int64_t>("an integer"); }
  Result<bool> Boolean() const { return As<bool>("a boolean"); }
  Result<double> Number() const { return As<double>("a number"); }
  Result<simdjson::dom::object> Object() const { return As<simdjson::dom::object>("an object"); }
  Result<simdjson::dom::array> Array() const { return As<simdjson::dom::array>("an array"); }

  // Members with a default.
  Result<std::string> GetString(std::string_view key, std::string_view otherwise) const {
    const auto member = Find(key);
    return std::string(member ? TRY(member->String()) : otherwise);
  }
  Result<bool> GetBool(std::string_view key, bool otherwise) const {
    const auto member = Find(key);
    return member ? TRY(member->Boolean()) : otherwise;
  }
  Result<int64_t> GetInt(std::string_view key, int64_t otherwise) const {
    const auto member = Find(key);
    return member ? TRY(member->Integer()) : otherwise;
  }
  Result<std::string> NeedString(std::string_view key) const { return std::string(TRY(TRY(Need(key)).String())); }

  // The elements of an array.
  Result<std::vector<JsonView>> Elements() const {
    std::vector<JsonView> elements;
    for (const Element element : TRY(Array())) {
      elements.emplace_back(element, path_ + "[" + std::to_string(elements.size()) + "]");
    }
    return elements;
  }

 private:
  template <class T>
  Result<T> As(std::string_view expected) const {
    T value;
    if (element_.get(value) != simdjson::SUCCESS) return Wrong(std::string("expected ") + std::string(expected));
    return value;
  }

  Element element_;
  std::string path_;
};

namespace internal {
// An object. The view lives as long as the parser; `file` is for messages.
Result<JsonView> ParseJson(simdjson::dom::parser& parser, std::string_view text, std::string_view file);
}  // namespace internal

}  // namespace bothy
