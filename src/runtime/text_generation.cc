#include "runtime/text_generation.h"

#include <algorithm>

#include "runtime/sampling/stop_matcher.h"

namespace bothy {
namespace {

struct Stream {
  StreamingDecoder decoder;
  StopMatcher stops;
  std::string text;
};

}  // namespace

Result<TextResult> GenerateText(GenerationSession& session, const Tokenizer& tokenizer,
                                const GenerationRequest& request,
                                const std::function<void(uint32_t sequence, std::string_view piece)>& on_text,
                                const std::atomic<bool>* cancel) {
  std::vector<Stream> streams;
  for (int64_t i = 0; i < request.params.num_return_sequences; i++) {
    streams.push_back({StreamingDecoder(tokenizer, true), StopMatcher(request.params.stop_strings), {}});
  }
  const auto show = [&](uint32_t sequence, const std::string& piece) {
    if (piece.empty()) return;
    streams[sequence].text += piece;
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
        Stream& stream = streams[token.sequence];
        show(token.sequence, stream.stops.Append(stream.decoder.Push(token.token)));
        return !stream.stops.found().has_value();
      },
      cancel));
  for (uint32_t i = 0; i < result.counts.continuations.size(); i++) {
    Stream& stream = streams[i];
    if (!stream.stops.found()) {
      show(i, stream.stops.Append(stream.decoder.Finish()));
      show(i, stream.stops.Finish());
    }
    result.texts.push_back({std::move(stream.text), std::move(result.counts.continuations[i])});
  }
  result.counts.continuations.clear();
  return result;
}

}  // namespace bothy
