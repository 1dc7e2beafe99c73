// The states that a running grammar can be in, found as they are needed and remembered.
//
// A state is a set of items. An item says where in the program a reading of the text so far stands, and a context: what
// may come when its rule is over, which is again a set of items. Sets are kept once, under a number, so equal states
// have equal numbers, whatever text led to them, and what follows a byte is looked up. Readings that call a rule at the
// same place share its context, as in Earley's parser, so ambiguity costs no more than polynomial time.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "runtime/grammar/program.h"
#include "text/hash_table.h"

namespace bothy {

class GrammarStates {  // For one thread at a time.
 public:
  using Set = uint32_t;
  static constexpr Set kDead = 0;  // the empty one: the text does not follow the grammar

  // Contexts in contexts: a byte that would lead deeper is refused. JSON takes three for an object in another, so its
  // limit is 200 levels, fewer than the usual readers take.
  static constexpr uint32_t kMaxDepth = 600;
  // Readings at once; natural grammars have tens.
  static constexpr size_t kMaxItems = 1 << 14;

  // `program` must outlive it. See Similar() for `horizon`, failed() for `max_bytes`.
  GrammarStates(const GrammarProgram& program, size_t horizon, size_t max_bytes);
  GrammarStates(const GrammarStates&) = delete;
  GrammarStates& operator=(const GrammarStates&) = delete;

  Set start() const { return start_; }

  // The state after one more byte.
  Set Step(Set state, uint8_t byte) {
    if (const uint32_t row = records_[state].row; row != 0) {
      if (const Set next = rows_[row - 1][byte]; next != kUnknown) return next;
    }
    return FindStep(state, byte);
  }

  // Whether the text may end here.
  bool Accepts(Set state) const { return records_[state].accepts; }

  // A state that goes the same ways as this one for the next `horizon` bytes, and is the same for all that do: one that
  // has counted as little as possible.
  Set Similar(Set state);

  // This state in `other`, which runs the same program.
  Set CopyTo(Set state, GrammarStates& other) const;

  // Work until the next call of this, after which the limit counts as reached: 2^27 take a fifth of a second or so, and
  // what a natural grammar asks for one mask is a hundredth of that.
  static constexpr size_t kWorkAtOnce = size_t{1} << 27;
  void AllowWork(size_t work = kWorkAtOnce) { work_left_ = work; }

  // A limit was reached: what was answered since is not true, and the table is of use only for copying earlier states.
  bool failed() const { return failed_; }
  tl::unexpected<Error> Failure() const;

  size_t bytes() const { return bytes_; }

 private:
  struct Item {
    uint32_t position = 0;
    uint32_t count = 0;  // of a repetition: how often its part was read, as far as that matters
    Set context = 0;
    auto operator<=>(const Item&) const = default;
  };
  struct Record {
    uint32_t begin = 0, size = 0;  // in items_
    uint32_t row = 0;              // 0, or one more than an index in rows_
    uint16_t steps = 0;            // bytes that were tried
    uint16_t depth = 0;
    bool accepts = false;
    bool counts = false;  // itself or a context of it
  };
  class ItemSet {  // what a closure has seen
   public:
    bool Add(const Item& item);
    size_t size() const { return items_.size(); }
    void Clear();

   private:
    size_t SlotOf(const Item& item) const;

    std::vector<Item> items_;
    std::vector<uint32_t> slots_;  // 0, or one more than an index in items_
  };
  struct Prediction {  // a rule that begins here
    uint32_t rule = 0;
    std::vector<Item> returns;
  };
  struct SetHash {
    const GrammarStates* states;
    size_t operator()(Set set) const;
  };
  struct SetEqual {
    const GrammarStates* states;
    bool operator()(Set a, Set b) const;
  };

  std::span<const Item> items(Set set) const {
    return std::span(items_).subspan(records_[set].begin, records_[set].size);
  }
  Set Intern(std::vector<Item>& items);
  Set FindStep(Set state, uint8_t byte);
  Set FindNewStep(Set state, uint8_t byte);
  Set Close();
  void Expand(bool entering);
  void Predict(uint32_t rule, Item after);
  void AddReturn(std::vector<Item>& returns, Item item) const;
  uint32_t SimilarCount(const Item& item) const;
  Set CopyTo(Set set, GrammarStates& other, FlatMap<uint32_t, Set>& copied) const;
  void Charge(size_t bytes);
  void Work(size_t work);

  const GrammarProgram& program_;
  const size_t horizon_, max_bytes_;
  std::vector<Item> items_;
  std::vector<Record> records_;
  std::unordered_set<Set, SetHash, SetEqual> sets_;
  // What is known of steps: by state and byte, and again in rows for states that are left by many bytes. A walk over a
  // vocabulary is nearly all looking these up, and takes a third of the time with rows.
  static constexpr Set kUnknown = ~Set{0};
  static constexpr uint16_t kStepsForRow = 16;
  FlatMap<uint64_t, Set> steps_;
  std::vector<std::array<Set, 256>> rows_;
  FlatMap<uint32_t, Set> similar_;
  Set start_ = kDead;
  size_t bytes_ = 0;
  size_t work_left_ = kWorkAtOnce;
  bool failed_ = false;

  // Of the closure that is being made.
  std::vector<Item> work_, closed_;
  ItemSet seen_;
  std::vector<Prediction> predictions_;
  std::vector<uint32_t> prediction_of_;                 // of each rule: 0, or one more than an index in predictions_
  std::vector<std::pair<uint32_t, uint32_t>> by_rank_;  // a heap of ranks and predictions, the lowest in front
};

// Whether the whole of `text` follows the grammar.
Result<bool> Matches(const GrammarProgram& program, std::string_view text);

}  // namespace bothy
