// Reads a call of a tool that is written as a JSON object, such as {"name": "f", "arguments": {"x": 1}}, byte by byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serve/json_scanner.h"

namespace bothy::serve {

class ObjectCall {
 public:
  enum class Outcome {
    kMore,
    kName,       // name() is known now
    kArguments,  // this byte belongs to the arguments, and the name is known: pass it on
    kLast,       // the same, and they end with it
    kDone,       // the object ended
    kBroken,     // no such object goes on with this byte
  };

  // The bytes of the object, '{' first.
  Outcome Feed(char c);

  const std::string& name() const { return name_; }

  // Arguments that came before the name or not as an object, when kDone; nothing where all were passed on. An object
  // without any has "{}".
  std::optional<std::string> TakeArguments();

 private:
  enum class State { kOpen, kFirstKey, kKey, kColon, kValue, kNext };
  enum class Member { kName, kArguments, kOther };

  Outcome FeedValue(char c);
  Outcome EndMember();

  State state_ = State::kOpen;
  JsonScanner scanner_;
  std::string text_;  // of the key or value so far
  Member member_ = Member::kOther;
  bool passing_ = false;  // the value is passed on
  bool passed_ = false;
  std::string name_;
  std::optional<std::string> arguments_;
};

}  // namespace bothy::serve
