// bothy perplexity: how well a model predicts a text.
#include "runtime/perplexity.h"

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "codec/json.h"

namespace bothy::cli {
namespace {

constexpr uint64_t kMaxText = uint64_t{1} << 30;

struct Options {
  ModelOptions model;
  std::string file;
  size_t chunks = 0;
  bool json = false;
};

Result<void> Run(const Options& options) {
  CatchInterrupts();
  const std::unique_ptr<ByteSource> source = TRY(OpenFile(options.file));
  const std::string text = TRY(source->ReadAll(kMaxText));
  ModelOptions model = options.model;
  if (model.context == 0) model.context = kPerplexityWindow;
  OpenModel open = TRY(OpenFromOptions(model, Precision::kFast));
  const std::unique_ptr<Tokenizer> tokenizer = TRY(OpenTokenizerOf(open.files));
  const std::vector<TokenId> tokens =
      TRY(tokenizer->Encode(text, {.add_special_tokens = true, .special = EncodeOptions::Special::kAsReference}));
  // A model that wants a beginning token has put it in front of the text.
  std::optional<int32_t> bos = tokenizer->special_tokens().bos;
  if (!bos || tokens.empty() || tokens[0] != *bos) bos.reset();
  const auto progress = [](size_t done, size_t total, double so_far) {
    if (IsTerminal(2)) fmt::print(stderr, "\r\033[Kchunk {} of {}: {:.4f}", done, total, so_far);
  };
  const Result<Perplexity> result =
      MeasurePerplexity(*open.engine, tokens, bos, options.chunks, progress, InterruptFlag());
  if (IsTerminal(2)) fmt::print(stderr, "\r\033[K");
  if (!result) return WithContext(result.error(), options.file);
  if (options.json) {
    fmt::print("{}\n", json::Serialize(json::object{{"perplexity", result->perplexity},
                                                    {"standard_error", result->standard_error},
                                                    {"chunks", result->chunks}}));
  } else {
    fmt::print("perplexity {:.4f} +- {:.4f} ({} windows of {} tokens)\n", result->perplexity, result->standard_error,
               result->chunks, kPerplexityWindow);
  }
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(perplexity)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand(
      "perplexity", "Measure how well a model predicts a text (windows of 512 tokens, the second half counted)");
  options->model.AddTo(app);
  app->add_option("file", options->file, "The text, UTF-8")->required();
  app->add_option("--chunks", options->chunks, "Windows to measure (default: all)")->check(CLI::Range(1, 1 << 30));
  app->add_flag("--json", options->json, "Print {perplexity, standard_error, chunks}");
  app->footer("Example:\n  bothy perplexity model.gguf wikitext2_valid.txt --chunks 64");
  runner.Set(app, [options] { return Run(*options); });
}
