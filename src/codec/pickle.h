// Reads Python pickles (protocols 2 to 5, Lib/pickletools.py) into inert values. Nothing is ever called or imported:
// what a pickle asks to be called is a value that says so, and names that are not on the caller's list are refused.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/byte_reader.h"

namespace bothy {

// A name that a pickle may mention.
struct PickleGlobal {
  std::string_view module;
  std::string_view name;
  int id = 0;
};

enum class PickleKind : uint8_t {
  kNone,
  kBool,
  kInteger,  // of 64 bits
  kLong,     // a longer one: bytes() are its two's complement, little-endian
  kFloat,
  kString,  // UTF-8, or what Python 2 called a string
  kBytes,
  kTuple,
  kList,
  kSet,
  kDict,
  kGlobal,      // a name of the caller's list
  kCall,        // a name of the caller's list, called with arguments; with the items it was given afterwards
  kPersistent,  // something outside the pickle, named by a value
};

class Pickle;

// One value; cheap to copy, valid as long as its Pickle. Values may contain each other, in circles too.
class PickleValue {
 public:
  PickleKind kind() const;
  bool is(PickleKind k) const { return kind() == k; }
  bool boolean() const { return integer() != 0; }
  int64_t integer() const;          // kInteger, kBool
  double number() const;            // kFloat
  std::string_view text() const;    // kString, kBytes, kLong
  size_t size() const;              // kTuple, kList, kSet: values; kDict, kCall: pairs
  PickleValue at(size_t i) const;   // kTuple, kList, kSet
  PickleValue key(size_t i) const;  // kDict, kCall
  PickleValue value(size_t i) const;
  int global() const;            // kGlobal, kCall: the id on the caller's list
  PickleValue argument() const;  // kCall: the tuple; kPersistent: the name
  uint32_t identity() const { return node_; }

 private:
  friend class Pickle;
  friend class PickleReader;
  PickleValue(const Pickle& pickle, uint32_t node) : pickle_(&pickle), node_(node) {}
  const Pickle* pickle_;
  uint32_t node_;
};

std::string_view PickleKindName(PickleKind kind);  // "a tuple"

class Pickle {
 public:
  // Reads one pickle from where `reader` stands to its end. `name` is for messages. A name that is not in `globals` is
  // kPermissionDenied, broken rules are kCorrupt, opcodes that no checkpoint needs are kUnimplemented; more than
  // kMaxSteps opcodes or kMaxText bytes of strings are kResourceExhausted.
  static Result<Pickle> Read(ByteReader& reader, std::string_view name, std::span<const PickleGlobal> globals);

  static constexpr uint64_t kMaxSteps = 1 << 24;  // a checkpoint takes about 40 for each of its arrays
  static constexpr uint64_t kMaxText = 1 << 28;

  PickleValue root() const { return {*this, root_}; }
  std::vector<PickleValue> PersistentIds() const;  // every kPersistent value of the pickle

 private:
  friend class PickleValue;
  friend class PickleReader;

  struct Node {
    PickleKind kind = PickleKind::kNone;
    uint32_t list = 0;  // index into lists_; 0: none, and empty
    union {
      int64_t integer = 0;
      double number;
      struct {
        uint32_t first, second;  // of text: offset and size; of a call: id and arguments; of a persistent one: its name
      } pair;
    };
  };

  std::span<const uint32_t> List(uint32_t node) const;

  std::vector<Node> nodes_;
  std::vector<std::vector<uint32_t>> lists_{1};
  std::string text_;
  uint32_t root_ = 0;
};

}  // namespace bothy
