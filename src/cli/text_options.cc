#include "cli/text_options.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

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
  // One word for each time such an option is given, not all words that follow, MODEL among them.
  const auto repeated = [](CLI::Option* option) { return option->take_all()->expected(1)->allow_extra_args(false); };
  repeated(app->add_option("--stop", stop, "End before this text; may be given several times"));

  constexpr const char* kGroup = "More settings, under the names of transformers' GenerationConfig";
  const auto add = [&](const char* name, auto& value, const char* help) {
    return app->add_option(name, value, help)->group(kGroup);
  };
  add("--top-h", top_h, "Draw from the likeliest tokens that together have this part of the entropy");
  add("--epsilon-cutoff", epsilon_cutoff, "Draw from tokens that are at least this likely");
  add("--eta-cutoff", eta_cutoff, "The same, and less strict where the distribution is flat");
  add("--no-repeat-ngram-size", no_repeat_ngram_size, "No n tokens in a row twice; 0: off");
  add("--min-new-tokens", min_new_tokens, "No end before this many tokens");
  repeated(add("--bad-words", bad_words, "Never write this text; may be given several times"));
  repeated(
      add("--logit-bias", logit_bias,
          "TOKEN=VALUE: added to the logit of a token, given by its id or by its text; of a text of several tokens "
          "to the last one, where the others stand before it; may be given several times"));
  const auto add_list = [&](const char* name, auto& values, const char* help) {
    repeated(add(name, values, help)->delimiter(','));
  };
  add_list("--suppress-tokens", suppress_tokens, "Token ids that are never chosen, with commas between");
  add_list("--begin-suppress-tokens", begin_suppress_tokens, "The same, for the first token only");
  add("--forced-bos-token-id", forced_bos_token_id, "The token after a prompt of one token");
  add_list("--forced-eos-token-id", forced_eos_token_id, "The last token, where --max-tokens ends the text");
  add_list("--exponential-decay-length-penalty", length_decay,
           "START,FACTOR: after START tokens make the end likelier, by FACTOR to the power of the tokens since");
  app->add_flag("--remove-invalid-values", remove_invalid_values, "Go on where the model gives no numbers")
      ->group(kGroup);
  app->add_flag("--renormalize-logits", renormalize_logits, "With --beams: log-probabilities after all settings")
      ->group(kGroup);
}

void TextOptions::AddBeamsTo(CLI::App* app) {
  app->add_option("--beams", beams, "Search with this many beams for the likeliest text; 1: none")
      ->check(CLI::Range(int64_t{1}, kMaxBeams));
  app->add_option("--length-penalty", length_penalty,
                  "With beams: a text's log-probability is divided by its length to this power (default: 1)");
  app->add_option("--early-stopping", early_stopping,
                  "With beams: end when as many texts are finished (true), when better ones are unlikely (false, the "
                  "default) or impossible (never)")
      ->check(CLI::IsMember({"true", "false", "never"}));
}

namespace {

// TOKEN=VALUE of --logit-bias.
Result<void> AddBias(const std::string& option, const Tokenizer& tokenizer, SamplingParams& params) {
  const size_t equals = option.rfind('=');  // the text may hold some
  const std::string token = option.substr(0, equals);
  double bias = 0;
  const char* const end = option.data() + option.size();
  const char* const begin = equals == std::string::npos ? end : option.data() + equals + 1;
  if (const auto read = std::from_chars(begin, end, bias);
      token.empty() || read.ec != std::errc() || read.ptr != end || !std::isfinite(bias)) {
    return Fail(ErrorCode::kUsage, "--logit-bias: expected TOKEN=NUMBER, found \"{}\"", option);
  }
  TokenId id = 0;
  const auto number = std::from_chars(token.data(), token.data() + token.size(), id);
  if (number.ec == std::errc() && number.ptr == token.data() + token.size()) {
    params.logit_bias.emplace_back(id, bias);
    return {};
  }
  std::vector<TokenId> ids = TRY(tokenizer.Encode(token));
  if (ids.size() == 1) {
    params.logit_bias.emplace_back(ids[0], bias);
  } else {
    params.sequence_bias.push_back({std::move(ids), bias});
  }
  return {};
}

}  // namespace

Result<SamplingParams> TextOptions::Params(const ModelFiles& files, const Tokenizer& tokenizer) const {
  SamplingParams params;
  if (files.generation_config) {
    TRY_CONTEXT("generation_config.json", ReadSampling(*files.generation_config, SettingsFrom::kFile, params));
  }
  // A file's lengths are for callers who do not say what they want; here that is until the model ends.
  params.max_length.reset();
  params.max_new_tokens.reset();
  params.num_return_sequences = 1;
  for (const TokenId end : tokenizer.special_tokens().end_of_generation) {
    if (std::ranges::find(params.eos_token_id, end) == params.eos_token_id.end()) params.eos_token_id.push_back(end);
  }
  json::object settings;
  const auto set = [&](const char* key, const auto& value) {
    if (value) settings[key] = *value;
  };
  const auto set_list = [&](const char* key, const auto& values) {
    if (!values.empty()) settings[key] = json::array(values.begin(), values.end());
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
  set("top_h", top_h);
  set("epsilon_cutoff", epsilon_cutoff);
  set("eta_cutoff", eta_cutoff);
  set("min_new_tokens", min_new_tokens);
  set("no_repeat_ngram_size", no_repeat_ngram_size);
  set("forced_bos_token_id", forced_bos_token_id);
  set("length_penalty", length_penalty);
  set_list("suppress_tokens", suppress_tokens);
  set_list("begin_suppress_tokens", begin_suppress_tokens);
  set_list("forced_eos_token_id", forced_eos_token_id);
  if (!length_decay.empty()) {
    if (length_decay.size() != 2 || !(std::abs(length_decay[0]) < 1e9)) {
      return Fail(ErrorCode::kUsage, "--exponential-decay-length-penalty: expected START,FACTOR");
    }
    settings["exponential_decay_length_penalty"] = {static_cast<int64_t>(length_decay[0]), length_decay[1]};
  }
  if (remove_invalid_values) settings["remove_invalid_values"] = true;
  if (renormalize_logits) settings["renormalize_logits"] = true;
  if (early_stopping) {
    settings["early_stopping"] =
        *early_stopping == "never" ? json::value("never") : json::value(*early_stopping == "true");
  }
  if (greedy) settings["do_sample"] = false;
  if (beams || greedy) settings["num_beams"] = beams.value_or(1);
  Result<void> read = ReadSampling(settings, SettingsFrom::kRequest, params);
  if (!read) return Fail(ErrorCode::kUsage, "{}", read.error().message);
  if ((length_penalty || early_stopping) && params.num_beams == 1) {
    return Fail(ErrorCode::kUsage, "--length-penalty and --early-stopping are for a search with --beams");
  }
  for (const std::string& option : logit_bias) TRY(AddBias(option, tokenizer, params));
  for (const std::string& word : bad_words) {
    if (word.empty()) return Fail(ErrorCode::kUsage, "--bad-words: expected a text, found an empty one");
    params.bad_words_ids.push_back(TRY(tokenizer.Encode(word)));
  }
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
