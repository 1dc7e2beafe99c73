#include "cli/text_options.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace bothy::cli {

void TextOptions::AddTo(CLI::App* app) {
  app->add_option("-n,--max-tokens", max_tokens, "Stop after this many tokens (default: at the end of the answer)")
      ->check(CLI::Range(1, 1 << 30));
  app->add_flag("--greedy", greedy, "Always take the likeliest token");
  app->add_option("--temperature", temperature, "Draw tokens, flatter above 1 and sharper below; 0: --greedy");
  app->add_option("--top-k", top_k, "Draw from the likeliest k tokens; 0: from all");
  app->add_option("--top-p", top_p, "Draw from the likeliest tokens that together have this probability");
  app->add_option("--min-p", min_p, "Draw from tokens with at least this part of the likeliest one's probability");
  app->add_option("--typical-p", typical_p, "Draw from typical tokens that together have this probability");
  app->add_option("--repetition-penalty", repetition_penalty, "Above 1: make tokens that were there less likely");
  app->add_option("--presence-penalty", presence_penalty, "Subtracted from a token that was there");
  app->add_option("--frequency-penalty", frequency_penalty, "Subtracted from a token for each time it was there");
  app->add_option("--seed", seed, "The same seed gives the same text (default: another each time)");
  app->add_option("--stop", stop, "End before this text; may be given several times")->take_all()->expected(1);
}

Result<SamplingParams> TextOptions::Params(const ModelFiles& files, const Tokenizer& tokenizer) const {
  SamplingParams params;
  if (files.generation_config) {
    TRY_CONTEXT("generation_config.json", ReadSampling(*files.generation_config, SettingsFrom::kFile, params));
  }
  // A file's lengths are for callers who do not say what they want; here that is until the model ends.
  params.max_length.reset();
  params.max_new_tokens.reset();
  for (const TokenId end : tokenizer.special_tokens().end_of_generation) {
    if (std::ranges::find(params.eos_token_id, end) == params.eos_token_id.end()) params.eos_token_id.push_back(end);
  }
  json::object settings;
  const auto set = [&](const char* key, const auto& value) {
    if (value) settings[key] = *value;
  };
  set("max_new_tokens", max_tokens);
  set("temperature", temperature);
  set("top_k", top_k);
  set("top_p", top_p);
  set("min_p", min_p);
  set("typical_p", typical_p);
  set("repetition_penalty", repetition_penalty);
  set("presence_penalty", presence_penalty);
  set("frequency_penalty", frequency_penalty);
  if (greedy) settings["do_sample"] = false;
  Result<void> read = ReadSampling(settings, SettingsFrom::kRequest, params);
  if (!read) return Fail(ErrorCode::kUsage, "{}", read.error().message);
  params.seed = seed;
  params.stop_strings.insert(params.stop_strings.end(), stop.begin(), stop.end());
  return params;
}

std::string SpeedLine(size_t prompt_tokens, size_t cached_tokens, double prompt_seconds, size_t generated_tokens,
                      double generation_seconds) {
  const auto rate = [](size_t tokens, double seconds) {
    return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0;
  };
  const size_t run = prompt_tokens - cached_tokens;
  std::string line = fmt::format("{} prompt tokens", prompt_tokens);
  if (cached_tokens > 0) line += fmt::format(" ({} of them cached)", cached_tokens);
  line += fmt::format(" at {:.1f} tokens/s, {} generated", rate(run, prompt_seconds), generated_tokens);
  // The first token comes with the prompt.
  if (generated_tokens > 1) line += fmt::format(" at {:.1f} tokens/s", rate(generated_tokens - 1, generation_seconds));
  return line;
}

}  // namespace bothy::cli
