#include "codec/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <istream>
#include <optional>
#include <streambuf>
#include <unordered_map>
#include <vector>

namespace bothy::yaml {
namespace {

constexpr std::string_view kPlain = "?";

// Leaves the library's parser, which knows no other way out; caught below.
struct Stop {
  Error error;
};

// Reads from text that is not copied.
class TextBuffer final : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // only ever read
    setg(begin, begin, begin + text.size());
  }
};

template <class T>
std::optional<T> ReadNumber(std::string_view digits, int base = 10) {
  T number{};
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<json::value> ReadInteger(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0o")) {
    const auto number = ReadNumber<uint64_t>(text.substr(2), text[1] == 'x' ? 16 : 8);
    return number ? std::optional<json::value>(*number) : std::nullopt;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  if (const auto number = ReadNumber<int64_t>(text)) return *number;
  return std::nullopt;
}

// [-+]? ( "." [0-9]+ | [0-9]+ ( "." [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?  of section 10.3.2. Infinity and NaN stay text,
// as JSON has none.
std::optional<json::value> ReadReal(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.find_first_not_of("0123456789+-.eE") != text.npos || text.find_first_of("0123456789") == text.npos) {
    return std::nullopt;
  }
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

json::value ReadPlain(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (auto integer = ReadInteger(text)) return *std::move(integer);
  if (auto real = ReadReal(text)) return *std::move(real);
  return json::string(text);
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(std::string_view name, const Limits& limits) : name_(name), limits_(limits) {}

  json::value Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) Refuse(ErrorCode::kCorrupt, mark, "more than one document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { Add(mark, anchor, nullptr); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) Refuse(ErrorCode::kCorrupt, mark, "an alias inside of what it stands for");
    Spend(mark, found->second.values, found->second.bytes);
    Place(mark, found->second.value, found->second.values, found->second.bytes);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Spend(mark, 0, text.size());
    Add(mark, anchor, tag == kPlain ? ReadPlain(text) : json::value(json::string(text)), text.size(), text);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, anchor, json::array());
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, anchor, json::object());
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Level {  // a sequence or mapping that is not yet whole
    YAML::Mark mark;
    YAML::anchor_t anchor;
    json::value value;
    std::optional<std::string> key;  // of a mapping, whose value comes next
    size_t values = 1;               // in it, with itself
    size_t bytes = 0;
  };
  struct Anchored {
    json::value value;
    size_t values;
    size_t bytes;
  };

  [[noreturn]] void Refuse(ErrorCode code, const YAML::Mark& mark, std::string_view why) const {
    throw Stop{{code, fmt::format("{}: line {}, column {}: {}", name_, mark.line + 1, mark.column + 1, why)}};
  }

  void Spend(const YAML::Mark& mark, size_t values, size_t bytes) {
    values_ += values;
    bytes_ += bytes;
    if (values_ > limits_.values) {
      Refuse(ErrorCode::kResourceExhausted, mark, fmt::format("more than {} values", limits_.values));
    }
    if (bytes_ > limits_.copied) {
      Refuse(ErrorCode::kResourceExhausted, mark, fmt::format("more than {} bytes of text", limits_.copied));
    }
  }

  void Add(const YAML::Mark& mark, YAML::anchor_t anchor, json::value value, size_t bytes = 0,
           std::optional<std::string> text = "null") {
    Spend(mark, 1, 0);
    if (anchor != 0) anchors_[anchor] = {value, 1, bytes};
    if (!levels_.empty() && levels_.back().value.is_object() && !levels_.back().key) {
      SetKey(mark, *std::move(text), bytes);
    } else {
      Place(mark, std::move(value), 1, bytes);
    }
  }

  void SetKey(const YAML::Mark& mark, std::string key, size_t bytes) {
    Level& level = levels_.back();
    if (level.value.get_object().contains(key)) {
      Refuse(ErrorCode::kCorrupt, mark, fmt::format("the key \"{}\" is there twice", key));
    }
    level.key = std::move(key);
    level.values++;
    level.bytes += bytes;
  }

  void Place(const YAML::Mark& mark, json::value value, size_t values, size_t bytes) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& level = levels_.back();
    level.values += values;
    level.bytes += bytes;
    if (json::array* array = level.value.if_array()) {
      array->push_back(std::move(value));
      return;
    }
    if (!level.key) {
      if (!value.is_string()) Refuse(ErrorCode::kCorrupt, mark, "a key that is no text");
      SetKey(mark, std::string(value.get_string()), 0);
      return;
    }
    level.value.get_object().emplace(*level.key, std::move(value));
    level.key.reset();
  }

  void Open(const YAML::Mark& mark, YAML::anchor_t anchor, json::value value) {
    Spend(mark, 1, 0);
    if (levels_.size() == limits_.depth) {
      Refuse(ErrorCode::kResourceExhausted, mark, fmt::format("deeper than {} levels", limits_.depth));
    }
    if (!levels_.empty() && levels_.back().value.is_object() && !levels_.back().key) {
      Refuse(ErrorCode::kCorrupt, mark, "a key that is no text");
    }
    levels_.push_back({.mark = mark, .anchor = anchor, .value = std::move(value), .key = std::nullopt});
  }

  void Close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    if (level.anchor != 0) {
      Spend(level.mark, level.values, level.bytes);  // of the copy that is kept for aliases
      anchors_[level.anchor] = {level.value, level.values, level.bytes};
    }
    Place(level.mark, std::move(level.value), level.values, level.bytes);
  }

  const std::string_view name_;
  const Limits limits_;
  int documents_ = 0;
  size_t values_ = 0;
  size_t bytes_ = 0;
  std::vector<Level> levels_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  json::value root_;
};

}  // namespace

Result<json::value> Parse(std::string_view text, std::string_view name, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return Fail(ErrorCode::kResourceExhausted, "{}: longer than {} bytes", name, limits.bytes);
  }
  try {
    TextBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    Builder builder(name, limits);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.Take();
  } catch (Stop& stop) {
    return tl::unexpected(std::move(stop.error));
  } catch (const YAML::Exception& exception) {
    return Fail(ErrorCode::kCorrupt, "{}: line {}, column {}: {}", name, exception.mark.line + 1,
                exception.mark.column + 1, exception.msg);
  } catch (const std::exception& exception) {
    return Fail(ErrorCode::kCorrupt, "{}: {}", name, exception.what());
  }
}

}  // namespace bothy::yaml
