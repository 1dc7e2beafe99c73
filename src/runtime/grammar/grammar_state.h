// Constrained output: which tokens may come next in a text that has to follow a grammar.
//
//   auto compiled = TRY(CompiledGrammar::Create(TRY(ParseGbnf(text)), vocabulary));
//   GrammarState state(compiled);
//   ... ApplyMask(TRY(state.Mask()), logits, logits); TRY(state.Accept(token)); ... until state.finished()
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/error.h"
#include "runtime/grammar/program.h"
#include "runtime/grammar/state_table.h"
#include "runtime/grammar/vocabulary.h"

namespace bothy {

// A grammar for one vocabulary. Shared by any number of texts and threads, and the masks that one has worked out serve
// all: so keep it for requests with the same grammar.
class CompiledGrammar {
 public:
  // States and masks that are remembered; beyond that they are forgotten and found anew.
  static constexpr size_t kDefaultMemory = size_t{64} << 20;

  // Fails as GrammarProgram::Compile, and kResourceExhausted where `memory` is not enough for the beginning.
  static Result<std::shared_ptr<const CompiledGrammar>> Create(const Grammar& grammar,
                                                               std::shared_ptr<const GrammarVocabulary> vocabulary,
                                                               size_t memory = kDefaultMemory);

  const GrammarVocabulary& vocabulary() const { return *vocabulary_; }

  struct Counts {
    uint64_t masks = 0;           // that were asked for
    uint64_t computed_masks = 0;  // that were not remembered
  };
  Counts counts() const;

 private:
  friend class GrammarState;
  using Mask = std::shared_ptr<const std::vector<uint64_t>>;
  struct Table {
    Table(const GrammarProgram& program, size_t horizon, size_t memory) : states(program, horizon, memory) {}
    GrammarStates states;
    FlatMap<uint32_t, Mask> masks;
    size_t mask_bytes = 0;
  };

  CompiledGrammar(GrammarProgram program, std::shared_ptr<const GrammarVocabulary> vocabulary, size_t memory);
  std::shared_ptr<Table> NewTable() const;
  void Renew(std::shared_ptr<Table>& table, GrammarStates::Set& state) const;
  Result<Mask> MaskOf(std::shared_ptr<Table>& table, GrammarStates::Set& state) const;
  Result<std::vector<uint64_t>> ComputeMask(GrammarStates& states, GrammarStates::Set start) const;

  GrammarProgram program_;
  std::shared_ptr<const GrammarVocabulary> vocabulary_;
  size_t memory_;
  mutable std::mutex mutex_;  // of all below, and of every table
  mutable std::shared_ptr<Table> table_;
  mutable Counts counts_;
};

// Where one text stands. Copies are cheap: a copy is a place to come back to.
class GrammarState {  // For one thread at a time.
 public:
  explicit GrammarState(std::shared_ptr<const CompiledGrammar> grammar);

  // The tokens that may come next, end tokens among them where the text may end; valid until the next call on this
  // object. kFailedPrecondition where none may, because the vocabulary cannot write what the grammar demands;
  // kResourceExhausted where the grammar is too ambiguous.
  Result<std::span<const uint64_t>> Mask();

  // Goes on with a token that may come: kInvalidArgument, and nothing is changed, for another.
  Result<void> Accept(TokenId token);

  bool CanEnd() const { return can_end_; }     // whether the text may end here
  bool finished() const { return finished_; }  // an end token came

 private:
  std::shared_ptr<const CompiledGrammar> grammar_;
  std::shared_ptr<CompiledGrammar::Table> table_;
  GrammarStates::Set state_ = GrammarStates::kDead;
  CompiledGrammar::Mask mask_;
  bool begun_ = false, can_end_ = false, finished_ = false;
};

}  // namespace bothy
