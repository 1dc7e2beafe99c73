#include <cstdlib>

#include "input.h"
#include "serve/answer.h"
#include "serve/answer_reader.h"

using namespace bothy;
using namespace bothy::serve;

namespace {

// By which each family's template is known.
constexpr std::string_view kFamilies[] = {"",
                                          "<tool_call>",
                                          "<tool_call><think>",
                                          "<|python_tag|>",
                                          "<function=",
                                          "[TOOL_CALLS]",
                                          "[TOOL_CALLS][ARGS]",
                                          "<｜tool▁call▁begin｜>",
                                          "<｜tool▁call▁begin｜>```json",
                                          ">>>all",
                                          "<|tool_call|>",
                                          "<|START_ACTION|><|START_THINKING|>",
                                          "directly-answer Action:",
                                          "<parameter=<function="};

Choice Read(std::string_view family, std::string_view text, size_t piece, bool several) {
  std::vector<Tool> tools = {{.name = "f"}, {.name = "get_weather"}};
  tools[1].parameters = {{"properties", {{"n", {{"type", "integer"}}}}}};
  AnswerReader reader(0, ReasoningReader(FindReasoningTags(family), ""),
                      ToolCallReader(FindToolSyntax(family), std::move(tools), several, "id"));
  Answer answer;
  answer.choices.emplace_back();
  for (size_t i = 0; i < text.size(); i += piece) {
    for (const ChatEvent& event : reader.Feed(text.substr(i, piece))) answer.Add(event);
  }
  for (const ChatEvent& event : reader.Finish({})) answer.Add(event);
  return answer.choices.at(0);
}

}  // namespace

// The first byte says which family, the second how the text is cut.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view family = kFamilies[data[0] % std::size(kFamilies)];
  const bool several = data[1] < 128;
  const std::string_view text = InputText(data + 2, size - 2);
  const Choice whole = Read(family, text, size, several);
  const Choice cut = Read(family, text, data[1] % 16 + 1, several);
  if (whole.text != cut.text || whole.reasoning != cut.reasoning || whole.tool_calls != cut.tool_calls) std::abort();
  if (!several && whole.tool_calls.size() > 1) std::abort();
  const bool plain = FindReasoningTags(family).open.empty() && family != ">>>all";
  if (plain && whole.tool_calls.empty() && whole.text != text) std::abort();
  return 0;
}
