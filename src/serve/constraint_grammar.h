// What the grammar engine runs for a constraint on an answer.
#pragma once

#include <memory>
#include <string>

#include "runtime/grammar/grammar.h"
#include "runtime/grammar/grammar_state.h"
#include "runtime/token_constraint.h"
#include "serve/constraint.h"
#include "serve/reasoning.h"
#include "text/tokenizer.h"

namespace bothy::serve {

// Not of kNone. kInvalidArgument names what of it cannot be.
Result<Grammar> GrammarOf(const ConstraintSpec& constraint);

// The same for the same constraint.
std::string KeyOf(const ConstraintSpec& constraint);

// Holds one continuation to a grammar. Where the prompt has left the model thinking, from the end of its thoughts on.
class GrammarConstraint final : public TokenConstraint {
 public:
  // The tokenizer must outlive it.
  GrammarConstraint(std::shared_ptr<const CompiledGrammar> grammar, const Tokenizer& tokenizer,
                    ReasoningReader reasoning)
      : state_(std::move(grammar)), decoder_(tokenizer), reasoning_(std::move(reasoning)) {}

  Result<std::span<const uint64_t>> Mask() override;
  Result<void> Accept(int32_t token) override;

 private:
  GrammarState state_;
  StreamingDecoder decoder_;
  ReasoningReader reasoning_;
};

}  // namespace bothy::serve
