// bothy logits: what a model says after each of some tokens, as numbers.
#include "codec/safetensors.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "cli/command.h"
#include "cli/model_options.h"

namespace bothy::cli {
namespace {

constexpr size_t kRowsAtOnce = 64;  // whose logits are held in memory

struct Options {
  ModelOptions model;
  std::string ids;
  std::string out;
  bool fast = false;
};

Result<std::vector<int32_t>> ParseIds(std::string_view text) {
  std::vector<int32_t> ids;
  while (true) {
    const size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    int32_t id = 0;
    const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), id);
    if (error != std::errc() || end != one.data() + one.size() || id < 0) {
      return Fail(ErrorCode::kUsage, "--ids: expected token ids with commas between, found \"{}\"", one);
    }
    ids.push_back(id);
    if (comma == std::string_view::npos) return ids;
    text.remove_prefix(comma + 1);
  }
}

Result<void> Run(const Options& options) {
  const std::vector<int32_t> ids = TRY(ParseIds(options.ids));
  ModelOptions model = options.model;
  if (model.context == 0) model.context = ids.size();
  OpenModel open = TRY(OpenFromOptions(model, options.fast ? Precision::kFast : Precision::kExact));
  const ModelInfo& info = open.engine->info();
  std::vector<float> logits(std::min(kRowsAtOnce, ids.size()) * info.vocabulary);
  KvSequence sequence = open.engine->NewSequence();
  const ArraySpec array = {"logits", DType::kF32, {ids.size(), info.vocabulary}};
  TRY(WriteSafetensors(options.out, {}, {&array, 1}, [&](size_t, ArraySink& sink) -> Result<void> {
    for (size_t at = 0; at < ids.size(); at += kRowsAtOnce) {
      const auto part = std::span(ids).subspan(at, std::min(kRowsAtOnce, ids.size() - at));
      const EngineInput input = {&sequence, part, EngineInput::Want::kAll, ids.size()};
      TRY(open.engine->Run({&input, 1}, logits.data()));
      TRY(sink.Write(std::as_bytes(std::span(logits).first(part.size() * info.vocabulary))));
    }
    return {};
  }));
  fmt::print(stderr, "{}: logits, F32 [{}, {}]\n", options.out, ids.size(), info.vocabulary);
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(logits)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand(
      "logits", "Write the logits after every token of a sequence to a safetensors file (tensor \"logits\", f32)");
  options->model.AddTo(app, "f32");
  app->add_option("--ids", options->ids, "Token ids, with commas between")->required();
  app->add_option("--out", options->out, "The file to write")->required();
  app->add_flag("--fast", options->fast,
                "Compute as generation does, with 8-bit activations, instead of with weights expanded to f32");
  app->footer("Example:\n  bothy logits ./model --ids 1,15043,29892 --out logits.safetensors");
  runner.Set(app, [options] { return Run(*options); });
}
