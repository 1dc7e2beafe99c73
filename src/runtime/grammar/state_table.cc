#include "runtime/grammar/state_table.h"

#include <algorithm>
#include <functional>

namespace bothy {
namespace {

// What a set and a step cost besides their items: a record and a node of the hash set; a slot of a table half full.
constexpr size_t kSetBytes = 64, kStepBytes = 48;

// An item takes as long as looking at so many edges.
constexpr size_t kWorkOfItem = 32;

}  // namespace

size_t GrammarStates::SetHash::operator()(Set set) const {
  const auto items = states->items(set);
  return HashBytes({reinterpret_cast<const char*>(items.data()), items.size_bytes()}, HashSeed());
}

bool GrammarStates::SetEqual::operator()(Set a, Set b) const {
  return std::ranges::equal(states->items(a), states->items(b));
}

size_t GrammarStates::ItemSet::SlotOf(const Item& item) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = HashInteger((uint64_t{item.position} << 32 | item.context) ^ uint64_t{item.count} << 20, HashSeed());
  for (slot &= mask; slots_[slot] != 0 && items_[slots_[slot] - 1] != item;) slot = (slot + 1) & mask;
  return slot;
}

bool GrammarStates::ItemSet::Add(const Item& item) {
  if (slots_.size() < 2 * (items_.size() + 1)) {
    slots_.assign(std::max<size_t>(64, 2 * slots_.size()), 0);
    for (uint32_t i = 0; i < items_.size(); i++) slots_[SlotOf(items_[i])] = i + 1;
  }
  const size_t slot = SlotOf(item);
  if (slots_[slot] != 0) return false;
  items_.push_back(item);
  slots_[slot] = static_cast<uint32_t>(items_.size());
  return true;
}

void GrammarStates::ItemSet::Clear() {
  // Few items among many slots are taken out one by one, the last first, so that each is still found where it lies.
  if (items_.size() * 8 < slots_.size()) {
    for (; !items_.empty(); items_.pop_back()) slots_[SlotOf(items_.back())] = 0;
  } else {
    std::ranges::fill(slots_, 0u);
    items_.clear();
  }
}

GrammarStates::GrammarStates(const GrammarProgram& program, size_t horizon, size_t max_bytes)
    : program_(program),
      horizon_(horizon),
      max_bytes_(max_bytes),
      sets_(16, SetHash{this}, SetEqual{this}),
      prediction_of_(program.rule_count()) {
  std::vector<Item> none;
  Intern(none);
  const Item accept = {GrammarProgram::kAcceptPosition, 0, kDead};
  if (program.rule(program.root()).can_be_empty) work_.push_back(accept);
  Predict(program.root(), accept);
  start_ = Close();
}

tl::unexpected<Error> GrammarStates::Failure() const {
  return Fail(ErrorCode::kResourceExhausted,
              "the grammar leaves too much open at once: more than {} readings, or more states than are looked at",
              kMaxItems);
}

void GrammarStates::Charge(size_t bytes) {
  bytes_ += bytes;
  failed_ = failed_ || bytes_ > max_bytes_;
}

void GrammarStates::Work(size_t work) {
  failed_ = failed_ || work > work_left_;
  work_left_ -= std::min(work, work_left_);
}

GrammarStates::Set GrammarStates::Intern(std::vector<Item>& items) {
  std::ranges::sort(items);
  const auto rest = std::ranges::unique(items);
  items.erase(rest.begin(), rest.end());
  Record record = {.begin = static_cast<uint32_t>(items_.size()), .size = static_cast<uint32_t>(items.size())};
  for (const Item& item : items) {
    const Record& context = records_[item.context];
    record.depth = std::max<uint16_t>(record.depth, context.depth + 1);
    record.accepts = record.accepts || item.position == GrammarProgram::kAcceptPosition;
    record.counts = record.counts || item.count > 0 || context.counts;
  }
  items_.insert(items_.end(), items.begin(), items.end());
  records_.push_back(record);
  const auto [found, added] = sets_.insert(static_cast<Set>(records_.size() - 1));
  if (added) {
    Charge(kSetBytes + items.size() * sizeof(Item));
  } else {
    records_.pop_back();
    items_.resize(record.begin);
  }
  return *found;
}

GrammarStates::Set GrammarStates::FindStep(Set state, uint8_t byte) {
  if (failed_) return kDead;
  const uint64_t key = uint64_t{state} << 8 | byte;
  const Set* known = steps_.Find(key);
  const Set next = known != nullptr ? *known : FindNewStep(state, byte);
  if (known == nullptr) {
    steps_.Insert(key, next);
    Charge(kStepBytes);
    if (++records_[state].steps == kStepsForRow) {
      rows_.emplace_back().fill(kUnknown);
      records_[state].row = static_cast<uint32_t>(rows_.size());
      Charge(sizeof rows_[0]);
    }
  }
  if (const uint32_t row = records_[state].row; row != 0) rows_[row - 1][byte] = next;
  return next;
}

GrammarStates::Set GrammarStates::FindNewStep(Set state, uint8_t byte) {
  for (const Item& item : items(state)) {
    Work(1 + program_.position(item.position).size);
    for (const GrammarProgram::Edge& edge : program_.edges(program_.position(item.position))) {
      if (edge.first <= byte && byte <= edge.last) work_.push_back({edge.target, 0, item.context});
    }
  }
  return work_.empty() ? kDead : Close();
}

// The state of the items in work_, which stand behind a byte, and of the rules that were predicted.
GrammarStates::Set GrammarStates::Close() {
  Expand(false);
  // A rule is entered when all that call it here are known: they have lower ranks, for no rule calls itself at its
  // beginning.
  while (!by_rank_.empty()) {
    std::ranges::pop_heap(by_rank_, std::greater<>());
    Prediction& prediction = predictions_[by_rank_.back().second];
    by_rank_.pop_back();
    const uint32_t rule = prediction.rule;
    const Set context = Intern(prediction.returns);
    prediction_of_[rule] = 0;
    if (records_[context].depth > kMaxDepth || failed_) continue;
    work_.push_back({program_.rule(rule).start, 0, context});
    Expand(true);
  }
  predictions_.clear();
  seen_.Clear();
  const Set state = Intern(closed_);
  closed_.clear();
  return state;
}

// Follows the items in work_ to where a byte is read. `entering`: they stand at the beginning of their rule, and that
// it may be over there was seen to by who called it.
void GrammarStates::Expand(bool entering) {
  using Kind = GrammarProgram::Kind;
  while (!work_.empty()) {
    const Item item = work_.back();
    work_.pop_back();
    Work(kWorkOfItem);
    if (failed_ || !seen_.Add(item)) continue;
    if (seen_.size() > kMaxItems) failed_ = true;
    const auto follow = [&](uint32_t position) { work_.push_back({position, 0, item.context}); };
    const GrammarProgram::Position& p = program_.position(item.position);
    switch (p.kind) {
      case Kind::kBytes:
      case Kind::kAccept: closed_.push_back(item); break;
      case Kind::kSplit: std::ranges::for_each(program_.targets(p), follow); break;
      case Kind::kEnd:
        if (!entering) work_.insert(work_.end(), items(item.context).begin(), items(item.context).end());
        break;
      case Kind::kCall:
        Predict(p.rule, {p.next, 0, item.context});
        if (program_.rule(p.rule).can_be_empty) follow(p.next);
        break;
      case Kind::kRepeat:
        if (item.count >= p.min) follow(p.next);
        if (item.count >= p.max) break;
        const uint32_t counted = p.max == Grammar::kUnbounded ? p.min : p.max;
        Predict(p.rule, {item.position, std::min(item.count + 1, counted), item.context});
        break;
    }
  }
}

void GrammarStates::Predict(uint32_t rule, Item after) {
  uint32_t& number = prediction_of_[rule];
  if (number == 0) {
    predictions_.push_back({.rule = rule});
    number = static_cast<uint32_t>(predictions_.size());
    by_rank_.emplace_back(program_.rule(rule).rank, number - 1);
    std::ranges::push_heap(by_rank_, std::greater<>());
  }
  AddReturn(predictions_[number - 1].returns, after);
}

// A rule that ends with a call needs no place of its own to return to. So lists that are written as rules that end with
// themselves grow no context, and states come again.
void GrammarStates::AddReturn(std::vector<Item>& returns, Item item) const {
  const GrammarProgram::Position* p = &program_.position(item.position);
  while (p->kind == GrammarProgram::Kind::kRepeat && item.count >= p->max) {
    item = {p->next, 0, item.context};
    p = &program_.position(item.position);
  }
  if (p->kind == GrammarProgram::Kind::kEnd) {
    returns.insert(returns.end(), items(item.context).begin(), items(item.context).end());
  } else {
    returns.push_back(item);
  }
}

// With `horizon_` bytes no more than that many parts are read.
uint32_t GrammarStates::SimilarCount(const Item& item) const {
  const GrammarProgram::Position& p = program_.position(item.position);
  if (p.kind != GrammarProgram::Kind::kRepeat) return item.count;
  if (item.count < p.min) return p.min - item.count > horizon_ ? 0 : item.count;
  return p.max - item.count > horizon_ ? p.min : item.count;
}

GrammarStates::Set GrammarStates::Similar(Set state) {
  if (!records_[state].counts) return state;
  if (const Set* known = similar_.Find(state)) return *known;
  std::vector<Item> similar(items(state).begin(), items(state).end());
  for (Item& item : similar) {
    item.count = SimilarCount(item);
    item.context = Similar(item.context);
  }
  const Set set = Intern(similar);
  similar_.Insert(state, set);
  Charge(kStepBytes);
  return set;
}

GrammarStates::Set GrammarStates::CopyTo(Set state, GrammarStates& other) const {
  FlatMap<uint32_t, Set> copied;
  return CopyTo(state, other, copied);
}

GrammarStates::Set GrammarStates::CopyTo(Set set, GrammarStates& other, FlatMap<uint32_t, Set>& copied) const {
  if (set == kDead) return kDead;
  if (const Set* known = copied.Find(set)) return *known;
  std::vector<Item> copy(items(set).begin(), items(set).end());
  for (Item& item : copy) item.context = CopyTo(item.context, other, copied);
  const Set there = other.Intern(copy);
  copied.Insert(set, there);
  return there;
}

Result<bool> Matches(const GrammarProgram& program, std::string_view text) {
  constexpr size_t kMaxBytes = size_t{64} << 20;
  GrammarStates states(program, 0, kMaxBytes);
  states.AllowWork(GrammarStates::kWorkAtOnce * 16);
  GrammarStates::Set state = states.start();
  for (const char byte : text) state = states.Step(state, static_cast<uint8_t>(byte));
  if (states.failed()) return states.Failure();
  return states.Accepts(state);
}

}  // namespace bothy
