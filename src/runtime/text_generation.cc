#include "runtime/text_generation.h"

#include <algorithm>

#include "runtime/text_stream.h"

namespace bothy {
namespace {

struct Shown {
  TextStream stream;
  std::string text;
};

}  // namespace

Result<TextResult> GenerateText(GenerationSession& session, const Tokenizer& tokenizer,
                                const GenerationRequest& request,
                                const std::function<void(uint32_t sequence, std::string_view piece)>& on_text,
                                const std::atomic<bool>* cancel) {
  std::vector<Shown> texts;
  for (int64_t i = 0; i < request.params.num_return_sequences; i++) {
    texts.push_back({TextStream(tokenizer, request.params.stop_strings, request.show_special_tokens), {}});
  }
  const auto show = [&](uint32_t sequence, const std::string& piece) {
    if (piece.empty()) return;
    texts[sequence].text += piece;
    if (on_text) on_text(sequence, piece);
  };
  GenerationRequest with_stops = request;
  if (request.params.num_beams > 1 && !request.params.stop_strings.empty()) {
    // A beam that has come to a stop string is a hypothesis, as one that has come to an end token.
    with_stops.finished = [&](std::span<const int32_t> tokens) {
      const std::string text = tokenizer.Decode(tokens, true);
      return std::ranges::any_of(request.params.stop_strings,
                                 [&](const std::string& stop) { return text.find(stop) != std::string::npos; });
    };
  }
  TextResult result;
  result.counts = TRY(session.Generate(
      with_stops,
      [&](const GeneratedToken& token) {
        if (token.end) return true;
        TextStream& stream = texts[token.sequence].stream;
        show(token.sequence, stream.Push(token.token));
        return !stream.stop().has_value();
      },
      cancel));
  for (uint32_t i = 0; i < result.counts.continuations.size(); i++) {
    show(i, texts[i].stream.Finish());
    result.texts.push_back({std::move(texts[i].text), std::move(result.counts.continuations[i])});
  }
  result.counts.continuations.clear();
  return result;
}

}  // namespace bothy
