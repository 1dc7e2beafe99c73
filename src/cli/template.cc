// bothy template: the prompt that a model sees of a conversation.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "codec/json.h"
#include "text/open_chat_template.h"
#include "text/open_tokenizer.h"

namespace bothy::cli {
namespace {

constexpr uint64_t kMaxText = uint64_t{64} << 20;

struct Options {
  std::string model;
  std::string file = "-";
};

Result<std::string> ReadText(const std::string& path) {
  if (path == "-") return ReadStandardInput();
  const std::unique_ptr<ByteSource> file = TRY(OpenFile(path));
  return file->ReadAll(kMaxText);
}

Result<ChatTemplate> OpenTemplate(const std::string& model) {
  if (model.ends_with(".jinja")) return ChatTemplate::Create(TRY(ReadText(model)), model, {});
  const ModelFiles files = TRY(OpenModelFiles(TRY(ResolveModel(model))));
  const std::unique_ptr<Tokenizer> tokenizer = TRY(OpenTokenizerOf(files));
  return OpenChatTemplate(files, *tokenizer);
}

Result<void> Run(const Options& options) {
  const ChatTemplate chat_template = TRY(OpenTemplate(options.model));
  const json::value request = TRY(json::Parse(TRY(ReadText(options.file)), options.file));
  if (!request.is_object()) {
    return Fail(ErrorCode::kCorrupt, "{}: expected an object with \"messages\"", options.file);
  }
  const std::string prompt = TRY(chat_template.Render(request.get_object()));
  std::fwrite(prompt.data(), 1, prompt.size(), stdout);
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(template)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("template", "Print the prompt that a model sees of a conversation");
  app->add_option("model", options->model, "A model, or a file of a template that ends in .jinja")->required();
  app->add_option("-f,--file", options->file,
                  "The JSON object that apply_chat_template takes: messages, tools, add_generation_prompt, ...; - is "
                  "standard input")
      ->capture_default_str();
  app->footer(
      "Example:\n  echo '{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}' | bothy template model.gguf");
  runner.Set(app, [options] { return Run(*options); });
}
