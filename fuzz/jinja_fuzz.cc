// A template and, after a zero byte, the JSON object that it is rendered with: as variables, and as the request of a
// chat template.
#include "base/error.h"
#include "codec/json.h"
#include "input.h"
#include "text/chat_template.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  const std::string_view source = TakePart(input);
  const auto context = json::Parse(input.empty() ? "{}" : input, "context");
  if (!context || !context->is_object()) return 0;
  // Small, so that what has no limit of its own shows: in time, or in memory.
  jinja::RenderOptions options;
  options.limits = {.steps = 200'000, .depth = 200, .memory = 1 << 22, .output = 1 << 18};
  options.now.emplace();
  options.now->time.tm_mday = 1;
  const auto parsed = jinja::Template::Parse(source, "input");
  const auto chat = ChatTemplate::Create(source, "input", {{"bos_token", "<s>"}, {"eos_token", "</s>"}});
  CHECK(parsed.has_value() == chat.has_value());
  if (!parsed) return 0;
  if (const auto text = parsed->Render(context->get_object(), options)) CHECK(text->size() <= options.limits.output);
  (void)chat->Render(context->get_object(), options);
  return 0;
}
