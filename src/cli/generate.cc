// bothy generate: one prompt, one answer (or several), streamed.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/text_options.h"
#include "codec/json.h"
#include "runtime/text_generation.h"
#include "text/open_chat_template.h"

namespace bothy::cli {
namespace {

constexpr uint64_t kMaxPrompt = uint64_t{1} << 28;

struct Options {
  ModelOptions model;
  TextOptions text;
  std::optional<std::string> prompt, file;
  std::string system;
  bool chat = false;
  bool exact = false;
  size_t samples = 1;
  std::optional<size_t> log_probs;
  bool json = false;
  bool quiet = false;
};

Result<std::string> ReadPrompt(const Options& options) {
  if (options.prompt) return *options.prompt;
  if (options.file && *options.file != "-") {
    const std::unique_ptr<ByteSource> source = TRY(OpenFile(*options.file));
    return source->ReadAll(kMaxPrompt);
  }
  if (IsTerminal(0)) fmt::print(stderr, "Type the prompt and end it with Ctrl-D.\n");
  return ReadStandardInput();
}

// The prompt as it is, or as the model's chat template puts a question.
Result<std::vector<TokenId>> PromptTokens(const Options& options, const std::string& prompt, const ModelFiles& files,
                                          const Tokenizer& tokenizer) {
  if (!options.chat) return tokenizer.Encode(prompt, {.add_special_tokens = true});
  const ChatTemplate chat_template = TRY(OpenChatTemplate(files, tokenizer));
  json::array messages;
  if (!options.system.empty()) messages.push_back(json::object{{"role", "system"}, {"content", options.system}});
  messages.push_back(json::object{{"role", "user"}, {"content", prompt}});
  const std::string text =
      TRY(chat_template.Render(json::object{{"messages", std::move(messages)}, {"add_generation_prompt", true}}));
  return tokenizer.Encode(text, {.special = EncodeOptions::Special::kParse});
}

std::string_view ReasonName(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop: return "stop";
    case FinishReason::kLength: return "length";
    case FinishReason::kContext: return "context";
    case FinishReason::kCancelled: return "cancelled";
  }
  return "stop";
}

json::value ToJson(const GeneratedText& text, const Tokenizer& tokenizer) {
  json::object object = {{"text", text.text}, {"finish_reason", ReasonName(text.continuation.reason)}};
  json::array tokens(text.continuation.tokens.begin(), text.continuation.tokens.end());
  object["tokens"] = std::move(tokens);
  if (text.continuation.score) object["score"] = *text.continuation.score;
  if (!text.continuation.log_probs.empty()) {
    json::array list;
    for (const LogProbs& one : text.continuation.log_probs) {
      json::array top;
      for (const TokenLogProb& candidate : one.top) {
        const TokenId id = candidate.token;
        top.push_back(
            json::object{{"token", id}, {"text", tokenizer.Decode({&id, 1})}, {"log_prob", candidate.log_prob}});
      }
      list.push_back(json::object{{"log_prob", one.chosen}, {"top", std::move(top)}});
    }
    object["log_probs"] = std::move(list);
  }
  return object;
}

void PrintJson(const TextResult& result, const Tokenizer& tokenizer) {
  json::array answers;
  size_t generated = 0;
  for (const GeneratedText& text : result.texts) {
    answers.push_back(ToJson(text, tokenizer));
    generated += text.continuation.tokens.size();
  }
  fmt::print("{}\n", json::Serialize(json::object{{"answers", std::move(answers)},
                                                  {"prompt_tokens", result.counts.prompt_tokens},
                                                  {"generated_tokens", generated},
                                                  {"seed", result.counts.seed},
                                                  {"prompt_seconds", result.counts.prompt_seconds},
                                                  {"generation_seconds", result.counts.generation_seconds}}));
}

Result<void> Run(const Options& options) {
  const std::string prompt = TRY(ReadPrompt(options));
  CatchInterrupts();
  ModelFiles files = TRY(OpenFilesFromOptions(options.model));
  const std::unique_ptr<Tokenizer> tokenizer = TRY(OpenTokenizerOf(files));
  GenerationRequest request;
  request.params = TRY(options.text.Params(files, *tokenizer));
  const auto beams = static_cast<size_t>(request.params.num_beams);
  if (beams > 1 && options.samples > beams) {
    return Fail(ErrorCode::kUsage, "--samples: expected at most the number of beams, {}, found {}: give more --beams{}",
                beams, options.samples, options.text.beams ? "" : ", or --beams 1 to search without");
  }
  request.params.num_return_sequences = static_cast<int64_t>(options.samples);
  request.log_probs = options.log_probs;
  request.prompt = TRY(PromptTokens(options, prompt, files, *tokenizer));
  OpenModel open =
      TRY(LoadFromOptions(std::move(files), options.model, options.exact ? Precision::kExact : Precision::kFast,
                          beams > 1 ? beams + 1 : options.samples));  // beside the beams there is the prompt's own
  const ModelInfo& info = open.engine->info();
  const size_t room = RoomOf(options.model, info);
  if (request.prompt.size() > room) {
    return Fail(ErrorCode::kOutOfRange, "the prompt has {} tokens, the context room for {}: {}", request.prompt.size(),
                room, MakeRoomAdvice(options.model, info));
  }

  const bool stream = !options.json && options.samples == 1;
  GenerationSession session(*open.engine);
  const TextResult result = TRY(GenerateText(
      session, *tokenizer, request,
      [&](uint32_t, std::string_view piece) {
        if (!stream) return;
        std::fwrite(piece.data(), 1, piece.size(), stdout);
        std::fflush(stdout);
      },
      InterruptFlag()));
  if (options.json) {
    PrintJson(result, *tokenizer);
  } else if (stream) {
    std::fputc('\n', stdout);
  } else {
    for (size_t i = 0; i < result.texts.size(); i++) fmt::print("{}) {}\n", i + 1, result.texts[i].text);
  }
  std::fflush(stdout);
  size_t generated = 0;
  FinishReason reason = FinishReason::kStop;
  for (const GeneratedText& text : result.texts) {
    generated += text.continuation.tokens.size();
    if (text.continuation.reason >= FinishReason::kContext) reason = text.continuation.reason;
  }
  if (!options.quiet && !options.json) {
    fmt::print(stderr, "[{}]\n",
               SpeedLine(result.counts.prompt_tokens, result.counts.cached_tokens, result.counts.prompt_seconds,
                         generated, result.counts.generation_seconds));
  }
  if (reason == FinishReason::kCancelled) return Fail(ErrorCode::kCancelled, "interrupted");
  if (reason == FinishReason::kContext) {
    return Fail(ErrorCode::kOutOfRange,
                "the context is full, it has room for {} tokens, and the answer is not at its end: {}", room,
                MakeRoomAdvice(options.model, info));
  }
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(generate)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<Options>();
  CLI::App* app = root.add_subcommand("generate", "Continue a prompt, or answer a question");
  options->model.AddTo(app);
  auto* prompt = app->add_option("-p,--prompt", options->prompt, "The prompt");
  app->add_option("-f,--file", options->file, "A file with the prompt; - is standard input (the default)")
      ->excludes(prompt);
  auto* chat =
      app->add_flag("--chat", options->chat, "The prompt is a question: put it as the model's chat template does");
  app->add_option("-s,--system", options->system, "With --chat: how the model should behave")->needs(chat);
  app->add_flag("--exact", options->exact,
                "Compute in f32 with expanded weights, as reference libraries do: slower, and closer to the model");
  options->text.AddTo(app);
  options->text.AddBeamsTo(app);
  app->add_option("-N,--samples", options->samples, "Answers to the same prompt; of a search with beams the best ones")
      ->check(CLI::Range(1, 256));
  app->add_option("--log-probs", options->log_probs, "With --json: log-probabilities, and of this many likely tokens")
      ->check(CLI::Range(0, 100));
  app->add_flag("--json", options->json,
                "Print {answers: [{text, finish_reason, tokens, score (with beams), log_probs}], prompt_tokens, "
                "generated_tokens, seed, prompt_seconds, generation_seconds}");
  app->add_flag("-q,--quiet", options->quiet, "No line about speed");
  app->footer("Example:\n  bothy generate model.gguf -p \"The capital of France is\" -n 20 --greedy");
  runner.Set(app, [options] { return Run(*options); });
}
