#include "runtime/grammar/string_set.h"

#include <algorithm>
#include <map>

#include "text/utf8.h"

namespace bothy {
namespace {

const CodePointSet& AllCharacters() {
  static const CodePointSet all = CodePointSet::All();
  return all;
}

}  // namespace

Result<void> StringSet::CheckSize(size_t states) {
  if (states <= kMaxStates) return {};
  return Fail(ErrorCode::kResourceExhausted,
              "the conditions on a string are too many together: they need more than {} states", kMaxStates);
}

// Makes a deterministic automaton of a pattern, by way of one that is not.
class StringSet::Builder {
 public:
  Result<StringSet> Run(const Pattern& pattern) {
    const uint32_t end = Put({});
    const uint32_t start = Write(pattern, end);
    TRY(CheckSize(steps_.size() / kStepsForState));
    Number({start});
    for (uint32_t i = 0; i < reached_.size(); i++) {
      TRY(CheckSize(reached_.size()));
      const std::vector<uint32_t> here = Follow(reached_[i]);
      followed_ += here.size();
      if (followed_ > kMaxSteps) return Fail(ErrorCode::kResourceExhausted, "the pattern leaves too much open at once");
      set_.states_.emplace_back().accepts = std::ranges::binary_search(here, end);
      AddEdges(i, here);
    }
    set_.Trim();
    return std::move(set_);
  }

 private:
  static constexpr size_t kStepsForState = 4;  // of the first automaton there may be more than of the second

  struct Step {
    std::vector<uint32_t> also;                // places that are reached without a character
    const CodePointSet* characters = nullptr;  // or with one of these
    uint32_t next = 0;
    uint32_t followed = 0;  // the last round that came by
  };

  bool Fits() const { return steps_.size() <= kStepsForState * (kMaxStates + 1); }

  uint32_t Put(Step step) {
    steps_.push_back(std::move(step));
    return static_cast<uint32_t>(steps_.size() - 1);
  }

  uint32_t Write(const Pattern& pattern, uint32_t next) {
    if (!Fits()) return next;  // which is an error when all is written
    switch (pattern.kind) {
      case Pattern::Kind::kClass: return Put({.also = {}, .characters = &pattern.characters, .next = next});
      case Pattern::Kind::kSequence:
        for (size_t i = pattern.parts.size(); i-- > 0;) next = Write(pattern.parts[i], next);
        return next;
      case Pattern::Kind::kChoice: {
        Step step;
        for (const Pattern& part : pattern.parts) step.also.push_back(Write(part, next));
        return Put(std::move(step));
      }
      case Pattern::Kind::kRepeat: {
        if (LengthOf(pattern.parts[0]).max == 0) return next;  // would be written without end, and adds nothing
        if (pattern.max == Grammar::kUnbounded) {
          const uint32_t loop = Put({});
          const uint32_t again = Write(pattern.parts[0], loop);
          steps_[loop].also = {again, next};
          next = loop;
        } else {
          const uint32_t after = next;
          for (uint32_t i = pattern.min; i < pattern.max && Fits(); i++) {
            next = Put({.also = {Write(pattern.parts[0], next), after}});
          }
        }
        for (uint32_t i = 0; i < pattern.min && Fits(); i++) next = Write(pattern.parts[0], next);
        return next;
      }
    }
    return next;
  }

  // All places that are reached without another character.
  std::vector<uint32_t> Follow(std::vector<uint32_t> places) {
    std::vector<uint32_t> all;
    round_++;
    while (!places.empty()) {
      const uint32_t place = places.back();
      places.pop_back();
      if (std::exchange(steps_[place].followed, round_) == round_) continue;
      all.push_back(place);
      places.insert(places.end(), steps_[place].also.begin(), steps_[place].also.end());
    }
    std::ranges::sort(all);
    return all;
  }

  uint32_t Number(const std::vector<uint32_t>& places) {
    const auto [found, added] = numbers_.try_emplace(places, static_cast<uint32_t>(reached_.size()));
    if (added) reached_.push_back(places);
    return found->second;
  }

  void AddEdges(uint32_t state, const std::vector<uint32_t>& here) {
    // From each bound of a range to the next the same places are reached.
    std::map<char32_t, std::vector<std::pair<uint32_t, int>>> bounds;
    for (const uint32_t place : here) {
      if (steps_[place].characters == nullptr) continue;
      for (const auto& [first, last] : steps_[place].characters->ranges()) {
        bounds[first].emplace_back(steps_[place].next, 1);
        bounds[last + 1].emplace_back(steps_[place].next, -1);
      }
    }
    std::map<uint32_t, int> open;
    for (auto at = bounds.begin(); at != bounds.end(); ++at) {
      for (const auto& [place, change] : at->second) {
        if ((open[place] += change) == 0) open.erase(place);
      }
      if (open.empty()) continue;
      std::vector<uint32_t> places;
      for (const auto& [place, count] : open) places.push_back(place);
      const uint32_t target = Number(places);
      set_.states_[state].edges.push_back({{at->first, std::next(at)->first - 1}, target});
    }
  }

  std::vector<Step> steps_;
  uint32_t round_ = 0;
  size_t followed_ = 0;
  std::map<std::vector<uint32_t>, uint32_t> numbers_;
  std::vector<std::vector<uint32_t>> reached_;  // for each state
  StringSet set_;
};

StringSet StringSet::All() {
  StringSet all;
  State state = {.edges = {}, .accepts = true};
  for (const CodePointRange& range : AllCharacters().ranges()) state.edges.push_back({range, 0});
  all.states_.push_back(std::move(state));
  return all;
}

Result<StringSet> StringSet::Of(const Pattern& pattern) { return Builder().Run(pattern); }

Result<StringSet> StringSet::Of(const std::vector<std::string>& words) {
  Pattern choice = {.kind = Pattern::Kind::kChoice, .characters = {}, .parts = {}};
  for (const std::string& word : words) {
    Pattern& sequence = choice.parts.emplace_back();
    for (size_t i = 0; i < word.size();) {
      const Utf8Char c = ReadUtf8(word.data() + i);
      i += c.size;
      Pattern& one = sequence.parts.emplace_back();
      one.kind = Pattern::Kind::kClass;
      one.characters.Add(c.code);
    }
  }
  return Of(choice);
}

Result<StringSet> StringSet::OfLength(uint64_t min, uint64_t max) {
  const bool unbounded = max == kUnboundedLength;
  const uint64_t last = unbounded ? min : max;
  if (min > max) return StringSet();
  TRY(CheckSize(last));
  StringSet set;
  for (uint64_t i = 0; i <= last; i++) {
    State& state = set.states_.emplace_back();
    state.accepts = i >= min;
    if (i == last && !unbounded) break;
    for (const CodePointRange& range : AllCharacters().ranges()) {
      state.edges.push_back({range, static_cast<uint32_t>(std::min(i + 1, last))});
    }
  }
  return set;
}

// `wanted`: what is in the other as well; otherwise what is not.
Result<StringSet> StringSet::Combine(const StringSet& other, bool wanted) const {
  if (empty() || (other.empty() && wanted)) return StringSet();
  StringSet both;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> numbers;
  std::vector<std::pair<uint32_t, uint32_t>> reached;
  const auto number = [&](uint32_t mine, uint32_t its) {
    const auto [found, added] = numbers.try_emplace({mine, its}, static_cast<uint32_t>(reached.size()));
    if (added) reached.emplace_back(mine, its);
    return found->second;
  };
  number(0, other.empty() ? kNone : 0);
  for (size_t i = 0; i < reached.size(); i++) {
    TRY(CheckSize(reached.size()));
    const auto [mine, its] = reached[i];
    State& state = both.states_.emplace_back();
    const bool its_accepts = its != kNone && other.states_[its].accepts;
    state.accepts = states_[mine].accepts && its_accepts == wanted;
    std::span<const Edge> rest;
    if (its != kNone) rest = other.states_[its].edges;
    for (const Edge& edge : states_[mine].edges) {
      const char32_t last = edge.characters.last;
      for (char32_t at = edge.characters.first; at <= last;) {
        while (!rest.empty() && rest.front().characters.last < at) rest = rest.subspan(1);
        const bool met = !rest.empty() && rest.front().characters.first <= at;
        char32_t end = last;
        if (met) {
          end = std::min(end, rest.front().characters.last);
        } else if (!rest.empty()) {
          end = std::min<char32_t>(end, rest.front().characters.first - 1);
        }
        if (met || !wanted) state.edges.push_back({{at, end}, number(edge.target, met ? rest.front().target : kNone)});
        at = end + 1;
      }
    }
  }
  both.Trim();
  return both;
}

// Leaves out the states from which nothing is accepted, and those that are not reached.
void StringSet::Trim() {
  std::vector<std::vector<uint32_t>> before(states_.size());
  std::vector<bool> useful(states_.size());
  std::vector<uint32_t> work;
  for (uint32_t i = 0; i < states_.size(); i++) {
    for (const Edge& edge : states_[i].edges) before[edge.target].push_back(i);
    if (states_[i].accepts) work.push_back(i);
  }
  while (!work.empty()) {
    const uint32_t state = work.back();
    work.pop_back();
    if (useful[state]) continue;
    useful[state] = true;
    work.insert(work.end(), before[state].begin(), before[state].end());
  }
  std::vector<State> kept;
  if (states_.empty() || !useful[0]) {
    states_.clear();
    return;
  }
  std::vector<uint32_t> numbers(states_.size(), kNone), order = {0};
  numbers[0] = 0;
  for (size_t i = 0; i < order.size(); i++) {
    State state = std::move(states_[order[i]]);
    std::erase_if(state.edges, [&](const Edge& edge) { return !useful[edge.target]; });
    for (Edge& edge : state.edges) {
      if (numbers[edge.target] == kNone) {
        numbers[edge.target] = static_cast<uint32_t>(order.size());
        order.push_back(edge.target);
      }
      edge.target = numbers[edge.target];
    }
    kept.push_back(std::move(state));
  }
  states_ = std::move(kept);
}

bool StringSet::Contains(std::string_view text) const {
  if (empty()) return false;
  uint32_t state = 0;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = ReadUtf8(text.data() + i);
    i += c.size;
    const auto& edges = states_[state].edges;
    const auto edge = std::ranges::partition_point(edges, [&](const Edge& e) { return e.characters.last < c.code; });
    if (edge == edges.end() || edge->characters.first > c.code) return false;
    state = edge->target;
  }
  return states_[state].accepts;
}

Grammar::Rule StringSet::WriteTo(Grammar& grammar, const CharacterWriter& write) const {
  std::vector<Grammar::Rule> rules;
  for (size_t i = 0; i < std::max<size_t>(states_.size(), 1); i++) rules.push_back(grammar.Declare("a string"));
  if (empty()) grammar.Define(rules[0], grammar.Never());
  for (size_t i = 0; i < states_.size(); i++) {
    std::map<uint32_t, CodePointSet> targets;
    for (const Edge& edge : states_[i].edges) targets[edge.target].Add(edge.characters.first, edge.characters.last);
    std::vector<Grammar::Node> alternatives;
    for (const auto& [target, characters] : targets) {
      alternatives.push_back(grammar.Sequence({write(characters), grammar.Reference(rules[target])}));
    }
    if (states_[i].accepts) alternatives.push_back(grammar.Empty());
    grammar.Define(rules[i], grammar.Choice(std::move(alternatives)));
  }
  return rules[0];
}

Result<const StringSet*> PatternSets::Of(std::string_view pattern, PatternUse use) {
  const std::pair key(use, std::string(pattern));
  auto found = sets_.find(key);
  if (found == sets_.end()) found = sets_.emplace(key, TRY(StringSet::Of(TRY(ParsePattern(pattern, use))))).first;
  return &found->second;
}

}  // namespace bothy
