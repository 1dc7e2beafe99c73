#include "runtime/grammar/program.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "runtime/grammar/utf8_ranges.h"

namespace bothy {

// Writes a rule from its end to its beginning: every part is told where to go on.
class GrammarProgram::Compiler {
 public:
  explicit Compiler(const Grammar& grammar) : grammar_(grammar), numbers_(grammar.rule_count(), kNone) {
    program_.positions_ = {{.kind = Kind::kEnd}, {.kind = Kind::kAccept}};
  }

  // The first of `roots` is the program's.
  GrammarProgram Run(std::span<const Grammar::Rule> roots) {
    for (const Grammar::Rule root : roots) NumberOf(root);
    // Rules are numbered when they are first called and written one after the other.
    for (size_t i = 0; i < bodies_.size(); i++) program_.rules_[i].start = Write(bodies_[i], kEndPosition);
    return std::move(program_);
  }

  uint32_t NumberOf(Grammar::Rule rule) {
    uint32_t& number = numbers_[Grammar::Index(rule)];
    if (number == kNone) number = NewRule(grammar_.name(rule), grammar_.body(rule));
    return number;
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  uint32_t NewRule(const std::string& name, Grammar::Node body) {
    program_.rules_.push_back({.name = name});
    bodies_.push_back(body);
    return static_cast<uint32_t>(bodies_.size() - 1);
  }

  uint32_t Put(Position position) {
    program_.positions_.push_back(position);
    return static_cast<uint32_t>(program_.positions_.size() - 1);
  }

  uint32_t PutEdges(const std::vector<Edge>& edges) {
    const auto begin = static_cast<uint32_t>(program_.edges_.size());
    program_.edges_.insert(program_.edges_.end(), edges.begin(), edges.end());
    return Put({.kind = Kind::kBytes, .begin = begin, .size = static_cast<uint32_t>(edges.size())});
  }

  void SetTargets(uint32_t split, std::initializer_list<uint32_t> targets) {
    Position& position = program_.positions_[split];
    position.begin = static_cast<uint32_t>(program_.targets_.size());
    position.size = static_cast<uint32_t>(targets.size());
    program_.targets_.insert(program_.targets_.end(), targets);
  }

  uint32_t Split(uint32_t one, uint32_t other) {
    const uint32_t split = Put({.kind = Kind::kSplit});
    SetTargets(split, {one, other});
    return split;
  }

  uint32_t Write(Grammar::Node node, uint32_t next) {
    const Grammar::Part& part = grammar_.part(node);
    switch (part.kind) {
      case Grammar::Kind::kLiteral: {
        const std::string_view bytes = grammar_.bytes(part);
        for (size_t i = bytes.size(); i-- > 0;) {
          const auto byte = static_cast<uint8_t>(bytes[i]);
          next = PutEdges({{byte, byte, next}});
        }
        return next;
      }
      case Grammar::Kind::kClass: return WriteClass(part, next);
      case Grammar::Kind::kSequence: {
        const auto parts = grammar_.children(part);
        for (size_t i = parts.size(); i-- > 0;) next = Write(parts[i], next);
        return next;
      }
      case Grammar::Kind::kChoice: {
        std::vector<uint32_t> targets;
        for (const Grammar::Node alternative : grammar_.children(part)) targets.push_back(Write(alternative, next));
        const auto begin = static_cast<uint32_t>(program_.targets_.size());
        program_.targets_.insert(program_.targets_.end(), targets.begin(), targets.end());
        return Put({.kind = Kind::kSplit, .begin = begin, .size = static_cast<uint32_t>(targets.size())});
      }
      case Grammar::Kind::kRepeat: return WriteRepeat(part, next);
      case Grammar::Kind::kReference:
        return Put({.kind = Kind::kCall, .rule = NumberOf(static_cast<Grammar::Rule>(part.target)), .next = next});
    }
    return next;
  }

  uint32_t WriteRepeat(const Grammar::Part& part, uint32_t next) {
    const auto body = static_cast<Grammar::Node>(part.target);
    if (part.min == 0 && part.max == 1) return Split(Write(body, next), next);
    if (part.min <= 1 && part.max == Grammar::kUnbounded) {
      const uint32_t loop = Put({.kind = Kind::kSplit});
      const uint32_t start = Write(body, loop);
      SetTargets(loop, {start, next});
      return part.min == 0 ? loop : start;
    }
    // Counted while it runs: written out, {1,100000} would be that many copies.
    return Put({.kind = Kind::kRepeat,
                .rule = NewRule("a repeated part", body),
                .next = next,
                .min = part.min,
                .max = part.max});
  }

  uint32_t WriteClass(const Grammar::Part& part, uint32_t next) {
    std::vector<Utf8Range> ranges;
    for (const CodePointRange& range : grammar_.ranges(part)) AppendUtf8Ranges(range, ranges);
    // Ends that several characters share are written once: (first, last, where to go on).
    std::map<std::tuple<uint8_t, uint8_t, uint32_t>, uint32_t> tails;
    std::vector<Edge> edges;
    for (const Utf8Range& range : ranges) {
      uint32_t target = next;
      for (uint32_t i = range.size; i-- > 1;) {
        const auto [found, added] = tails.try_emplace({range.first[i], range.last[i], target}, 0);
        if (added) found->second = PutEdges({{range.first[i], range.last[i], target}});
        target = found->second;
      }
      const bool widens = !edges.empty() && edges.back().target == target && edges.back().last + 1 == range.first[0];
      if (widens) {
        edges.back().last = range.last[0];
      } else {
        edges.push_back({range.first[0], range.last[0], target});
      }
    }
    return PutEdges(edges);
  }

  const Grammar& grammar_;
  GrammarProgram program_;
  std::vector<uint32_t> numbers_;      // of the grammar's rules in the program
  std::vector<Grammar::Node> bodies_;  // of the program's rules
};

Result<GrammarProgram> GrammarProgram::Compile(const Grammar& grammar) {
  TRY(grammar.Check());
  const Grammar::Rule root = grammar.root();
  GrammarProgram program = Compiler(grammar).Run({&root, 1});
  TRY(program.Prune());
  TRY(program.Rank());
  return program;
}

std::vector<bool> GrammarProgram::CanEnd(const Grammar& grammar, std::span<const Grammar::Rule> rules) {
  Compiler compiler(grammar);
  const GrammarProgram program = compiler.Run(rules);
  const std::vector<bool> ends = program.ReachesEnd(Reading::kAnything);
  std::vector<bool> can_end;
  for (const Grammar::Rule rule : rules) can_end.push_back(ends[program.rules_[compiler.NumberOf(rule)].start]);
  return can_end;
}

// For each position: whether it comes to the end of its rule, by reading nothing or by reading anything.
std::vector<bool> GrammarProgram::ReachesEnd(Reading reading) const {
  // A position does when one of those that it depends on does, a call or a needed repetition when all do. Each
  // dependency is looked at once, from the ends backwards.
  std::vector<uint32_t> missing(positions_.size(), 1);
  std::vector<std::pair<uint32_t, uint32_t>> dependents;  // what is depended on, who does
  for (uint32_t i = 0; i < positions_.size(); i++) {
    const Position& p = positions_[i];
    const auto depends = [&](uint32_t on) { dependents.emplace_back(on, i); };
    switch (p.kind) {
      case Kind::kBytes:
        if (reading == Reading::kNothing) break;
        for (const Edge& edge : edges(p)) depends(edge.target);
        break;
      case Kind::kSplit: std::ranges::for_each(targets(p), depends); break;
      case Kind::kCall:
      case Kind::kRepeat:
        depends(p.next);
        if (p.kind == Kind::kRepeat && p.min == 0) break;
        depends(rules_[p.rule].start);
        missing[i] = 2;
        break;
      case Kind::kEnd:
      case Kind::kAccept: break;
    }
  }
  std::ranges::sort(dependents);
  std::vector<bool> reaches(positions_.size());
  std::vector<uint32_t> work = {kEndPosition, kAcceptPosition};
  for (const uint32_t end : work) reaches[end] = true;
  while (!work.empty()) {
    const uint32_t done = work.back();
    work.pop_back();
    for (const auto& [on, who] :
         std::ranges::equal_range(dependents, done, {}, &std::pair<uint32_t, uint32_t>::first)) {
      if (reaches[who] || --missing[who] > 0) continue;
      reaches[who] = true;
      work.push_back(who);
    }
  }
  return reaches;
}

// Removes what can never be finished, so that every text that was begun can be.
Result<void> GrammarProgram::Prune() {
  const std::vector<bool> ends = ReachesEnd(Reading::kAnything);
  if (!ends[rules_[root()].start]) {
    return Fail(ErrorCode::kInvalidArgument, "no text can follow the grammar: its rule \"{}\" never comes to an end",
                rules_[root()].name);
  }
  for (Position& p : positions_) {
    if (p.kind == Kind::kBytes) {
      const auto all = std::span(edges_).subspan(p.begin, p.size);
      p.size -=
          static_cast<uint32_t>(std::ranges::remove_if(all, [&](const Edge& e) { return !ends[e.target]; }).size());
    } else if (p.kind == Kind::kSplit) {
      const auto all = std::span(targets_).subspan(p.begin, p.size);
      p.size -= static_cast<uint32_t>(std::ranges::remove_if(all, [&](uint32_t t) { return !ends[t]; }).size());
    } else if (p.kind == Kind::kRepeat && !ends[rules_[p.rule].start]) {
      p.max = 0;
    }
  }
  return {};
}

// The rules that `rule` may call before it has read anything. `seen`: for each position the last rule that came by.
std::vector<uint32_t> GrammarProgram::LeftmostCalls(uint32_t rule, std::vector<uint32_t>& seen) const {
  std::vector<uint32_t> calls, work = {rules_[rule].start};
  while (!work.empty()) {
    const uint32_t index = work.back();
    work.pop_back();
    if (std::exchange(seen[index], rule) == rule) continue;
    const Position& p = positions_[index];
    if (p.kind == Kind::kSplit) {
      work.insert(work.end(), targets(p).begin(), targets(p).end());
    } else if (p.kind == Kind::kCall) {
      calls.push_back(p.rule);
      if (rules_[p.rule].can_be_empty) work.push_back(p.next);
    } else if (p.kind == Kind::kRepeat) {
      if (p.max > 0) calls.push_back(p.rule);
      if (p.min == 0) work.push_back(p.next);
    }
  }
  return calls;
}

Result<void> GrammarProgram::Rank() {
  const std::vector<bool> empties = ReachesEnd(Reading::kNothing);
  for (Rule& rule : rules_) rule.can_be_empty = empties[rule.start];
  for (Position& p : positions_) {
    if (p.kind == Kind::kRepeat && rules_[p.rule].can_be_empty) p.min = 0;
  }
  std::vector<uint32_t> seen(positions_.size(), ~uint32_t{0});
  std::vector<std::vector<uint32_t>> calls(rules_.size());
  std::vector<uint32_t> callers(rules_.size());
  for (uint32_t i = 0; i < rules_.size(); i++) {
    calls[i] = LeftmostCalls(i, seen);
    for (const uint32_t called : calls[i]) callers[called]++;
  }
  // Callers first.
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < rules_.size(); i++) {
    if (callers[i] == 0) order.push_back(i);
  }
  for (size_t done = 0; done < order.size(); done++) {
    rules_[order[done]].rank = static_cast<uint32_t>(done);
    for (const uint32_t called : calls[order[done]]) {
      if (--callers[called] == 0) order.push_back(called);
    }
  }
  if (order.size() == rules_.size()) return {};
  // What is left is called in a circle, or from one: going on long enough leads into it, and once around is the
  // message.
  uint32_t at = 0;
  const auto in_circle = [&](uint32_t rule) { return callers[rule] > 0; };
  while (!in_circle(at)) at++;
  std::vector<uint32_t> caller(rules_.size(), ~uint32_t{0});
  for (uint32_t i = 0; i < rules_.size(); i++) {
    if (!in_circle(i)) continue;
    for (const uint32_t called : calls[i]) caller[called] = i;
  }
  for (size_t i = 0; i < rules_.size(); i++) at = caller[at];
  std::string circle = rules_[at].name;
  constexpr size_t kMaxNamed = 8;
  uint32_t before = caller[at];
  for (size_t i = 0; i < kMaxNamed && before != at; i++, before = caller[before]) {
    circle = rules_[before].name + ", " + circle;
  }
  return Fail(ErrorCode::kInvalidArgument,
              "rule \"{}\" refers to itself before it has read anything (left recursion, through: {})", rules_[at].name,
              circle);
}

}  // namespace bothy
