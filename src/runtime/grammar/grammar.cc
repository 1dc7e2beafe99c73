#include "runtime/grammar/grammar.h"

#include <algorithm>

namespace bothy {

Grammar::Node Grammar::Put(Part part) {
  const auto below = [&](Node node) { part.depth = std::max(part.depth, parts_[static_cast<size_t>(node)].depth + 1); };
  if (part.kind == Kind::kRepeat) below(static_cast<Node>(part.target));
  if (part.kind == Kind::kSequence || part.kind == Kind::kChoice) std::ranges::for_each(children(part), below);
  too_deep_ = too_deep_ || part.depth > kMaxDepth;
  // A full grammar takes no more; Check() tells.
  if (parts_.size() <= kMaxNodes) parts_.push_back(part);
  return static_cast<Node>(parts_.size() - 1);
}

Grammar::Node Grammar::PutList(Kind kind, const std::vector<Node>& nodes) {
  if (nodes.size() == 1) return nodes[0];
  const auto begin = static_cast<uint32_t>(children_.size());
  if (!full()) children_.insert(children_.end(), nodes.begin(), nodes.end());
  return Put({.kind = kind, .begin = begin, .size = static_cast<uint32_t>(children_.size() - begin)});
}

Grammar::Node Grammar::Literal(std::string_view utf8) {
  const auto begin = static_cast<uint32_t>(bytes_.size());
  if (!full()) bytes_ += utf8;
  return Put({.kind = Kind::kLiteral, .begin = begin, .size = static_cast<uint32_t>(bytes_.size() - begin)});
}

Grammar::Node Grammar::Class(const CodePointSet& characters) {
  const auto begin = static_cast<uint32_t>(ranges_.size());
  if (!full()) ranges_.insert(ranges_.end(), characters.ranges().begin(), characters.ranges().end());
  return Put({.kind = Kind::kClass, .begin = begin, .size = static_cast<uint32_t>(ranges_.size() - begin)});
}

Grammar::Node Grammar::Sequence(std::vector<Node> parts) { return PutList(Kind::kSequence, parts); }

Grammar::Node Grammar::Choice(std::vector<Node> alternatives) { return PutList(Kind::kChoice, alternatives); }

Grammar::Node Grammar::Repeat(Node part, uint32_t min, uint32_t max) {
  CHECK(min <= max);
  if (max == 0) return Empty();
  if (min == 1 && max == 1) return part;
  return Put({.kind = Kind::kRepeat, .min = min, .max = max, .target = static_cast<uint32_t>(part)});
}

Grammar::Node Grammar::Reference(Rule rule) {
  return Put({.kind = Kind::kReference, .target = static_cast<uint32_t>(rule)});
}

Grammar::Rule Grammar::Import(const Grammar& other) {
  const auto shift = [](auto index, size_t by) {
    return static_cast<decltype(index)>(static_cast<size_t>(index) + by);
  };
  const size_t nodes = parts_.size(), rules = rules_.size();
  too_deep_ = too_deep_ || other.too_deep_;
  if (full()) return root_;  // Check() tells
  for (Part part : other.parts_) {
    switch (part.kind) {
      case Kind::kLiteral: part.begin = shift(part.begin, bytes_.size()); break;
      case Kind::kClass: part.begin = shift(part.begin, ranges_.size()); break;
      case Kind::kSequence:
      case Kind::kChoice: part.begin = shift(part.begin, children_.size()); break;
      case Kind::kRepeat: part.target = shift(part.target, nodes); break;
      case Kind::kReference: part.target = shift(part.target, rules); break;
    }
    parts_.push_back(part);
  }
  bytes_ += other.bytes_;
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  for (const Node child : other.children_) children_.push_back(shift(child, nodes));
  for (NamedRule rule : other.rules_) {
    rule.body = shift(rule.body, nodes);
    rules_.push_back(std::move(rule));
  }
  return shift(other.root_, rules);
}

Grammar::Node Grammar::Words(std::vector<std::string> words) {
  std::ranges::sort(words);
  const auto rest = std::ranges::unique(words);
  words.erase(rest.begin(), rest.end());
  return WordsFrom(words, 0, 0);
}

// The words are sorted and have the first `offset` bytes in common, which hold `splits` choices.
Grammar::Node Grammar::WordsFrom(std::span<const std::string> words, size_t offset, size_t splits) {
  constexpr size_t kMaxSplits = 64;  // words that are each the beginning of the next would nest without end
  if (words.empty() || full()) return Never();
  // As far as the first and the last agree, all do.
  const std::string &first = words.front(), &last = words.back();
  size_t common = offset;
  while (common < first.size() && common < last.size() && first[common] == last[common]) common++;
  const Node beginning = Literal(std::string_view(first).substr(offset, common - offset));
  if (words.size() == 1) return beginning;
  std::vector<Node> alternatives;
  for (size_t i = 0; i < words.size();) {
    if (words[i].size() == common) {
      alternatives.push_back(Empty());
      i++;
      continue;
    }
    size_t end = i + 1;
    if (splits >= kMaxSplits) {
      alternatives.push_back(Literal(std::string_view(words[i++]).substr(common)));
      continue;
    }
    while (end < words.size() && words[end][common] == words[i][common]) end++;
    alternatives.push_back(WordsFrom(words.subspan(i, end - i), common, splits + 1));
    i = end;
  }
  return Sequence({beginning, Choice(std::move(alternatives))});
}

Grammar::Rule Grammar::Declare(std::string name) {
  if (rules_.size() <= kMaxRules) rules_.push_back({.name = std::move(name)});
  return static_cast<Rule>(rules_.size() - 1);
}

void Grammar::Define(Rule rule, Node body) {
  rules_[Index(rule)].body = body;
  rules_[Index(rule)].defined = true;
}

Grammar::Rule Grammar::Add(std::string name, Node body) {
  const Rule rule = Declare(std::move(name));
  Define(rule, body);
  return rule;
}

bool Grammar::full() const {
  return too_deep_ || parts_.size() > kMaxNodes || rules_.size() > kMaxRules || bytes_.size() > kMaxLiteralBytes ||
         ranges_.size() > kMaxClassRanges || children_.size() > kMaxNodes;
}

Result<void> Grammar::Check() const {
  if (full()) {
    return Fail(ErrorCode::kResourceExhausted,
                "the grammar is too large: at most {} rules, {} parts that are nested {} deep, {} bytes of literals",
                kMaxRules, kMaxNodes, kMaxDepth, kMaxLiteralBytes);
  }
  return {};
}

}  // namespace bothy
