// Finds where a JSON value ends in text that arrives byte by byte, and notices at once when it is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bothy::serve {

class JsonScanner {
 public:
  enum class Outcome {
    kMore,
    kEnd,        // this byte was the value's last
    kEndBefore,  // the value (a number) ended before this byte, which was not taken
    kBroken,     // no JSON goes on with this byte
  };

  // Blanks before the value are skipped. After another outcome than kMore only Reset() makes sense.
  Outcome Feed(char c);
  void Reset() { *this = JsonScanner(); }

  bool begun() const { return state_ != State::kValue || !open_.empty(); }

 private:
  enum class State : uint8_t {
    kValue,      // one must come
    kFirstItem,  // of an array: a value or ]
    kFirstKey,   // of an object: a key or }
    kKey,        // behind a comma
    kColon,
    kNext,  // a comma or the container's end
    kString,
    kEscape,
    kUnicode,
    kLiteral,
    kNumber,
  };
  enum class Number : uint8_t { kSign, kZero, kInteger, kPoint, kFraction, kExponent, kExponentSign, kExponentDigits };

  Outcome BeginValue(char c);
  Outcome EndValue();
  Outcome InString(char c);
  Outcome InNumber(char c);
  Outcome Close(char c);

  State state_ = State::kValue;
  std::vector<char> open_;  // the closing characters of what is open, innermost last
  bool key_ = false;        // the string is a key
  uint8_t digits_ = 0;      // of \u
  Number number_ = Number::kSign;
  std::string_view literal_;  // what is left of it
};

}  // namespace bothy::serve
