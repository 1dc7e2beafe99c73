// bothy bench: how fast a model runs here.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "codec/json.h"
#include "tensor/isa.h"

namespace bothy::cli {
namespace {

struct Options {
  ModelOptions model;
  size_t prompt = 512;
  size_t generate = 128;
  size_t depth = 0;
  size_t batch = 1;
  size_t repeat = 3;
  bool json = false;
};

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Summary {
  double median = 0, min = 0, max = 0;
};

Summary Summarize(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const size_t n = values.size();
  const double median = n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
  return {median, values.front(), values.back()};
}

// Any tokens will do; these are spread over the vocabulary.
std::vector<int32_t> Tokens(size_t count, size_t vocabulary) {
  std::vector<int32_t> tokens(count);
  for (size_t i = 0; i < count; i++) tokens[i] = static_cast<int32_t>((i * 7919 + 1) % vocabulary);
  return tokens;
}

Result<void> CheckInterrupt() {
  if (Interrupted()) return Fail(ErrorCode::kCancelled, "interrupted");
  return {};
}

// One prompt in each of `batch` sequences, from empty ones that already hold `depth` tokens.
Result<double> TimePrompt(Engine& engine, const Options& options) {
  const std::vector<int32_t> before = Tokens(options.depth, engine.info().vocabulary);
  const std::vector<int32_t> prompt = Tokens(options.prompt, engine.info().vocabulary);
  std::vector<float> logits(options.batch * engine.info().vocabulary);
  std::vector<KvSequence> sequences;
  std::vector<EngineInput> inputs;
  for (size_t i = 0; i < options.batch; i++) sequences.push_back(engine.NewSequence());
  for (KvSequence& sequence : sequences) {
    const EngineInput fill = {&sequence, before, EngineInput::Want::kNone};
    TRY(engine.Run({&fill, 1}, nullptr));
    inputs.push_back({&sequence, prompt, EngineInput::Want::kLast});
  }
  const double start = Now();
  TRY(engine.Run(inputs, logits.data()));
  return Now() - start;
}

Result<double> TimeGeneration(Engine& engine, const Options& options) {
  const std::vector<int32_t> before = Tokens(options.depth + 1, engine.info().vocabulary);
  std::vector<float> logits(options.batch * engine.info().vocabulary);
  std::vector<KvSequence> sequences;
  for (size_t i = 0; i < options.batch; i++) sequences.push_back(engine.NewSequence());
  for (KvSequence& sequence : sequences) {
    const EngineInput fill = {&sequence, std::span(before).first(options.depth), EngineInput::Want::kNone};
    TRY(engine.Run({&fill, 1}, nullptr));
  }
  const double start = Now();
  for (size_t i = 0; i < options.generate; i++) {
    const int32_t token = before[i % before.size()];
    std::vector<EngineInput> inputs;
    for (KvSequence& sequence : sequences) inputs.push_back({&sequence, {&token, 1}, EngineInput::Want::kLast});
    TRY(engine.Run(inputs, logits.data()));
    TRY(CheckInterrupt());
  }
  return Now() - start;
}

Result<void> Run(const Options& options) {
  CatchInterrupts();
  ModelOptions model_options = options.model;
  const size_t needed = options.depth + std::max(options.prompt, options.generate);
  if (model_options.context == 0) model_options.context = needed;
  if (model_options.context < needed) {
    return Fail(ErrorCode::kUsage, "--context {} is less than the {} tokens that would be run", model_options.context,
                needed);
  }
  OpenModel open = TRY(OpenFromOptions(model_options, Precision::kFast, options.batch));
  Engine& engine = *open.engine;
  std::vector<double> prompt, generate;
  for (size_t i = 0; i < options.repeat; i++) {
    if (IsTerminal(2)) fmt::print(stderr, "\r\033[KMeasuring {} of {}", i + 1, options.repeat);
    if (options.prompt > 0) {
      prompt.push_back(static_cast<double>(options.prompt * options.batch) / TRY(TimePrompt(engine, options)));
    }
    TRY(CheckInterrupt());
    if (options.generate > 0) {
      generate.push_back(static_cast<double>(options.generate * options.batch) / TRY(TimeGeneration(engine, options)));
    }
  }
  if (IsTerminal(2)) fmt::print(stderr, "\r\033[K");
  const Summary p = Summarize(prompt), g = Summarize(generate);
  const uint64_t resident = ResidentBytes();
  if (options.json) {
    const auto object = [](const Summary& s) {
      return json::object{{"median", s.median}, {"min", s.min}, {"max", s.max}};
    };
    fmt::print("{}\n", json::Serialize(json::object{{"prompt_tokens_per_second", object(p)},
                                                    {"generated_tokens_per_second", object(g)},
                                                    {"load_seconds", open.load_seconds},
                                                    {"resident_bytes", resident},
                                                    {"weight_bytes", engine.info().weight_bytes}}));
    return {};
  }
  fmt::print("model      {} ({} parameters, {} of weights), loaded in {}\n", options.model.model,
             HumanCount(engine.info().parameters), HumanBytes(engine.info().weight_bytes),
             HumanSeconds(open.load_seconds));
  fmt::print("machine    {} threads, {}, {} resident\n", open.pool->threads(), IsaName(CurrentIsa()),
             HumanBytes(resident));
  if (!prompt.empty()) {
    fmt::print("prompt     {:8.1f} tokens/s  ({} tokens, {:.1f} to {:.1f})\n", p.median, options.prompt, p.min, p.max);
  }
  if (!generate.empty()) {
    fmt::print("generation {:8.1f} tokens/s  ({} tokens, {:.1f} to {:.1f})\n", g.median, options.generate, g.min,
               g.max);
  }
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(bench)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("bench", "Measure how fast a model runs on this machine");
  options->model.AddTo(app);
  const auto add = [&](const char* name, size_t& value, const char* help, size_t least) {
    app->add_option(name, value, help)->capture_default_str()->check(CLI::Range(least, size_t{1} << 24));
  };
  add("--prompt", options->prompt, "Tokens of a prompt; 0: do not measure it", 0);
  add("--generate", options->generate, "Tokens to generate, one by one; 0: do not measure it", 0);
  add("--depth", options->depth, "Tokens that are in the context before", 0);
  add("--batch", options->batch, "Sequences side by side; tokens of all are counted", 1);
  add("--repeat", options->repeat, "Times to measure", 1);
  app->add_flag("--json", options->json,
                "Print {prompt_tokens_per_second, generated_tokens_per_second: {median, min, max}, load_seconds, "
                "resident_bytes, weight_bytes}");
  app->footer("Example:\n  bothy bench model.gguf --prompt 512 --generate 128 --threads 2");
  runner.Set(app, [options] { return Run(*options); });
}
