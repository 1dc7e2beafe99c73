// Generation of text: a prompt's tokens go in, whole characters come out, and stop strings end it without being shown.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/generation.h"
#include "text/tokenizer.h"

namespace bothy {

struct GeneratedText {
  std::string text;  // without end tokens and stop string
  Continuation continuation;
};

struct TextResult {
  std::vector<GeneratedText> texts;
  GenerationResult counts;  // its continuations have moved to `texts`
};

// As GenerationSession::Generate; request.params.stop_strings end a text too. `on_text` sees each piece of each text
// as soon as it is certain.
Result<TextResult> GenerateText(GenerationSession& session, const Tokenizer& tokenizer,
                                const GenerationRequest& request,
                                const std::function<void(uint32_t sequence, std::string_view piece)>& on_text = {},
                                const std::atomic<bool>* cancel = nullptr);

}  // namespace bothy
