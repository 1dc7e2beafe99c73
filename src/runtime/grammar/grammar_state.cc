#include "runtime/grammar/grammar_state.h"

#include <algorithm>

namespace bothy {
namespace {

void Set(std::vector<uint64_t>& mask, TokenId token) {
  mask[static_cast<size_t>(token) / 64] |= uint64_t{1} << (token % 64);
}

void Clear(std::vector<uint64_t>& mask, TokenId token) {
  mask[static_cast<size_t>(token) / 64] &= ~(uint64_t{1} << (token % 64));
}

}  // namespace

CompiledGrammar::CompiledGrammar(GrammarProgram program, std::shared_ptr<const GrammarVocabulary> vocabulary,
                                 size_t memory)
    : program_(std::move(program)), vocabulary_(std::move(vocabulary)), memory_(memory) {}

Result<std::shared_ptr<const CompiledGrammar>> CompiledGrammar::Create(
    const Grammar& grammar, std::shared_ptr<const GrammarVocabulary> vocabulary, size_t memory) {
  auto program = TRY(GrammarProgram::Compile(grammar));
  std::shared_ptr<CompiledGrammar> compiled(new CompiledGrammar(std::move(program), std::move(vocabulary), memory));
  compiled->table_ = compiled->NewTable();
  if (compiled->table_->states.failed()) return compiled->table_->states.Failure();
  return compiled;
}

std::shared_ptr<CompiledGrammar::Table> CompiledGrammar::NewTable() const {
  return std::make_shared<Table>(program_, vocabulary_->longest_token(), memory_);
}

CompiledGrammar::Counts CompiledGrammar::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

// Before a token or a mask: takes a text to the newest table, and makes a new one when half of the memory is used, so
// that the other half is there for one more token or mask. Old tables go when the last text has left them.
void CompiledGrammar::Renew(std::shared_ptr<Table>& table, GrammarStates::Set& state) const {
  if (table_->states.failed() || table_->states.bytes() + table_->mask_bytes > memory_ / 2) table_ = NewTable();
  table_->states.AllowWork();
  if (table == table_) return;
  state = table->states.CopyTo(state, table_->states);
  table = table_;
}

Result<CompiledGrammar::Mask> CompiledGrammar::MaskOf(std::shared_ptr<Table>& table, GrammarStates::Set& state) const {
  const std::lock_guard lock(mutex_);
  Renew(table, state);
  counts_.masks++;
  GrammarStates& states = table->states;
  const GrammarStates::Set similar = states.Similar(state);
  if (const Mask* known = table->masks.Find(similar)) return *known;
  counts_.computed_masks++;
  auto mask = std::make_shared<const std::vector<uint64_t>>(TRY(ComputeMask(states, similar)));
  table->masks.Insert(similar, mask);
  table->mask_bytes += mask->size() * sizeof(uint64_t);
  return mask;
}

Result<std::vector<uint64_t>> CompiledGrammar::ComputeMask(GrammarStates& states, GrammarStates::Set start) const {
  std::vector<uint64_t> mask(vocabulary_->mask_words());
  const auto nodes = vocabulary_->nodes();
  const auto tokens = vocabulary_->tokens();
  std::vector<GrammarStates::Set> path(vocabulary_->longest_token() + 1);
  path[0] = start;
  for (size_t i = 0; i < nodes.size();) {
    const GrammarVocabulary::Node& node = nodes[i];
    const GrammarStates::Set state = states.Step(path[node.depth], node.byte);
    if (state == GrammarStates::kDead) {
      i = node.subtree_end;
      continue;
    }
    path[node.depth + 1u] = state;
    for (uint32_t t = i > 0 ? nodes[i - 1].tokens_end : 0; t < node.tokens_end; t++) Set(mask, tokens[t]);
    i++;
  }
  if (states.failed()) return states.Failure();
  if (states.Accepts(start)) {
    for (const TokenId end : vocabulary_->end_tokens()) Set(mask, end);
  }
  return mask;
}

GrammarState::GrammarState(std::shared_ptr<const CompiledGrammar> grammar) : grammar_(std::move(grammar)) {
  const std::lock_guard lock(grammar_->mutex_);
  table_ = grammar_->table_;
  state_ = table_->states.start();
  can_end_ = table_->states.Accepts(state_);
}

Result<std::span<const uint64_t>> GrammarState::Mask() {
  if (finished_) return Fail(ErrorCode::kFailedPrecondition, "the text is over: nothing comes after an end token");
  mask_ = TRY(grammar_->MaskOf(table_, state_));
  const auto never_first = grammar_->vocabulary().never_first();
  if (!begun_ && !never_first.empty()) {
    auto first = std::make_shared<std::vector<uint64_t>>(*mask_);
    for (const TokenId token : never_first) Clear(*first, token);
    mask_ = std::move(first);
  }
  if (std::ranges::none_of(*mask_, [](uint64_t word) { return word != 0; })) {
    return Fail(ErrorCode::kFailedPrecondition,
                "the grammar demands what the model's vocabulary cannot write, or an end that has no token");
  }
  return std::span(*mask_);
}

Result<void> GrammarState::Accept(TokenId token) {
  const GrammarVocabulary& vocabulary = grammar_->vocabulary();
  const auto refuse = [&]() -> Result<void> {
    return Fail(ErrorCode::kInvalidArgument, "token {} does not follow the grammar", token);
  };
  if (finished_ || token < 0 || static_cast<size_t>(token) >= vocabulary.size()) return refuse();
  if (vocabulary.IsEnd(token)) {
    if (!can_end_) return refuse();
    finished_ = true;
    return {};
  }
  const std::string& bytes = vocabulary.bytes(token);
  if (bytes.empty() || (!begun_ && std::ranges::binary_search(vocabulary.never_first(), token))) return refuse();
  const std::lock_guard lock(grammar_->mutex_);
  grammar_->Renew(table_, state_);
  GrammarStates& states = table_->states;
  GrammarStates::Set state = state_;
  for (const char byte : bytes) state = states.Step(state, static_cast<uint8_t>(byte));
  if (states.failed()) return states.Failure();
  if (state == GrammarStates::kDead) return refuse();
  state_ = state;
  can_end_ = states.Accepts(state);
  begun_ = true;
  return {};
}

}  // namespace bothy
