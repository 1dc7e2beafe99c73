// Reads the parameters of a call that is written as <parameter=KEY>VALUE</parameter>... </function>, as Qwen3-Coder's
// models do, into the text of a JSON object.
#pragma once

#include <string>
#include <string_view>

#include "codec/json.h"

namespace bothy::serve {

class XmlCall {
 public:
  enum class Outcome { kMore, kDone, kBroken };
  static constexpr size_t kMaxKey = 256;  // bytes of a parameter's name

  // `parameters` is the tool's JSON schema, which tells whether a value is text; it must outlive this. Nothing is known
  // of a value that is not in it: it is text.
  void Begin(const json::object& parameters);

  // Takes a byte; adds to `out` what of the object's text is certain by it.
  Outcome Feed(char c, std::string& out);

 private:
  enum class State { kBetween, kKey, kValue };

  void AddValue(std::string_view text, std::string& out);
  bool IsText() const;

  const json::object* parameters_ = nullptr;
  State state_ = State::kBetween;
  std::string text_;  // read in this state
  std::string key_;
  bool first_ = true;
};

}  // namespace bothy::serve
