#include <cstdlib>

#include "api/anthropic/messages_request.h"
#include "api/ollama/chat.h"
#include "api/ollama/models.h"
#include "api/openai/chat_request.h"
#include "api/openai/completions.h"
#include "api/openai/embeddings.h"
#include "api/openai/responses_request.h"
#include "api/protocol/fields.h"
#include "api/tgi/generate.h"
#include "api/tgi/info.h"
#include "input.h"

using namespace bothy;
using namespace bothy::api;

namespace {

Result<serve::Exchange> Parse(uint8_t route, const json::object& body) {
  switch (route % 9) {
    case 0: return openai::ParseChat(body);
    case 1: return openai::ParseCompletion(body);
    case 2: return openai::ParseResponses(body);
    case 3: return anthropic::ParseMessages(body);
    case 4: return ollama::ParseChat(body);
    case 5: return ollama::ParseGenerate(body);
    case 6: return tgi::ParseGenerate(body, tgi::Route::kGenerate);
    case 7: return tgi::ParseGenerate(body, tgi::Route::kStream);
    default: return tgi::ParseGenerate(body, tgi::Route::kTask);
  }
}

void ParseOthers(const json::object& body) {
  if (const auto r = openai::ParseEmbeddings(body); r && r->request.inputs.empty()) std::abort();
  if (const auto r = ollama::ParseEmbed(body); r && r->request.inputs.empty()) std::abort();
  if (const auto r = ollama::ParseEmbeddings(body); r && r->request.inputs.empty()) std::abort();
  if (const auto r = anthropic::ParseCountTokens(body); r && r->messages.empty()) std::abort();
  (void)ollama::ParseShow(body);
  (void)tgi::ParseTokenize(body);
}

void CheckAnswered(serve::Exchange& exchange) {
  serve::AnswerFormat& format = *exchange.format;
  const serve::ChatEvent events[] = {{0, serve::TextDelta{"a"}, {{.id = 1, .text = "a", .log_prob = 0}}},
                                     {0, serve::ToolCallStart{0, "id", "f"}, {}},
                                     {0, serve::ToolCallArguments{0, "{"}, {}},
                                     {0, serve::ToolCallEnd{0}, {}},
                                     {0, serve::AnswerEnd{}, {}}};
  std::string stream = format.Start({});
  serve::Answer answer;
  for (const serve::ChatEvent& event : events) {
    stream += format.Event(event);
    answer.Add(event);
  }
  stream += format.End({});
  if (!stream.ends_with('\n') || !json::Parse(format.Whole({}, answer, {}), "answer")) std::abort();
}

}  // namespace

// The first byte says which route, the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto body = ParseRequest(InputText(data + 1, size - 1));
  if (!body) return 0;
  ParseOthers(*body);
  auto exchange = Parse(data[0], *body);
  if (!exchange) {
    if (exchange.error().code != ErrorCode::kInvalidArgument && exchange.error().code != ErrorCode::kUnimplemented) {
      std::abort();
    }
    return 0;
  }
  const auto* chat = std::get_if<serve::ChatRequest>(&exchange->request);
  const auto* completion = std::get_if<serve::CompletionRequest>(&exchange->request);
  if (!exchange->load_only && chat != nullptr && chat->messages.empty()) std::abort();
  if (completion != nullptr && completion->prompts.empty()) std::abort();
  CheckAnswered(*exchange);
  return 0;
}
