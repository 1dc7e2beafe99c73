#include "runtime/sampling/sampling_params.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace bothy {
namespace {

// Switch sampling on where a request has one of them.
constexpr std::string_view kSamplingKeys[] = {"temperature", "top_k",     "top_p",          "min_p",
                                              "top_h",       "typical_p", "epsilon_cutoff", "eta_cutoff"};

template <class T>
tl::unexpected<Error> OutOfLimits(std::string_view name, const T& value, std::string_view limits) {
  return Fail(ErrorCode::kInvalidArgument, "{}: expected {}, found {}", name, limits, value);
}

Result<int32_t> ReadToken(const json::value& v, std::string_view key) {
  boost::json::error_code error;
  const auto id = v.to_number<int32_t>(error);
  if (error) return Fail(ErrorCode::kInvalidArgument, "{}: expected token ids, found {}", key, json::Serialize(v));
  return id;
}

// A list of token ids, or one alone.
Result<std::vector<int32_t>> ReadTokens(const json::value& v, std::string_view key) {
  std::vector<int32_t> tokens;
  if (const auto* list = v.if_array()) {
    tokens.reserve(list->size());
    for (const auto& item : *list) tokens.push_back(TRY(ReadToken(item, key)));
  } else {
    tokens.push_back(TRY(ReadToken(v, key)));
  }
  return tokens;
}

Result<double> ReadNumber(const json::value& v, std::string_view key) {
  if (!v.is_number()) {
    return Fail(ErrorCode::kInvalidArgument, "{}: expected a number, found {}", key, json::Serialize(v));
  }
  return v.to_number<double>();
}

Result<const json::array*> ReadList(const json::value& v, std::string_view key, std::string_view of) {
  const auto* list = v.if_array();
  if (list == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "{}: expected a list of {}, found {}", key, of, json::Serialize(v));
  }
  return list;
}

// One reader for each type of setting; null and absent change nothing.
class Reader {
 public:
  explicit Reader(const json::object& from) : from_(from) {}

  const json::value* Find(std::string_view key) const {
    const auto* v = from_.if_contains(key);
    return v != nullptr && !v->is_null() ? v : nullptr;
  }

  Result<void> Into(std::string_view key, double& out) const {
    if (const auto* v = Find(key)) out = TRY(ReadNumber(*v, key));
    return {};
  }
  Result<void> Into(std::string_view key, int64_t& out) const {
    if (const auto* v = Find(key)) {
      boost::json::error_code error;
      out = v->to_number<int64_t>(error);
      if (error) return OutOfLimits(key, json::Serialize(*v), "an integer");
    }
    return {};
  }
  Result<void> Into(std::string_view key, bool& out) const {
    if (const auto* v = Find(key)) {
      if (!v->is_bool()) return OutOfLimits(key, json::Serialize(*v), "true or false");
      out = v->get_bool();
    }
    return {};
  }
  Result<void> Into(std::string_view key, std::vector<int32_t>& out) const {
    if (const auto* v = Find(key)) out = TRY(ReadTokens(*v, key));
    return {};
  }
  Result<void> Into(std::string_view key, int32_t& out) const {
    if (const auto* v = Find(key)) out = TRY(ReadToken(*v, key));
    return {};
  }
  template <class T>
  Result<void> Into(std::string_view key, std::optional<T>& out) const {
    if (Find(key) == nullptr) return {};
    T value{};
    TRY(Into(key, value));
    out = value;
    return {};
  }

 private:
  const json::object& from_;
};

Result<void> ReadLogitBias(const json::value& v, std::vector<std::pair<int32_t, double>>& out) {
  const auto* biases = v.if_object();
  if (biases == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "logit_bias: expected an object of token ids to numbers, found {}",
                json::Serialize(v));
  }
  out.clear();
  for (const auto& [key, bias] : *biases) {
    int32_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0) {
      return Fail(ErrorCode::kInvalidArgument, "logit_bias: expected token ids as keys, found \"{}\"",
                  std::string_view(key));
    }
    out.emplace_back(id, TRY(ReadNumber(bias, "logit_bias")));
  }
  return {};
}

Result<void> ReadSequenceBias(const json::value& v, std::vector<SequenceBias>& out) {
  out.clear();
  for (const auto& item : *TRY(ReadList(v, "sequence_bias", "[[token ids], bias]"))) {
    const auto* pair = item.if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_array()) {
      return Fail(ErrorCode::kInvalidArgument, "sequence_bias: expected [[token ids], bias], found {}",
                  json::Serialize(item));
    }
    auto tokens = TRY(ReadTokens((*pair)[0], "sequence_bias"));
    out.push_back({std::move(tokens), TRY(ReadNumber((*pair)[1], "sequence_bias"))});
  }
  return {};
}

Result<void> ReadStrings(const json::value& v, std::string_view key, std::vector<std::string>& out) {
  out.clear();
  if (const auto* one = v.if_string()) {
    out.emplace_back(*one);
    return {};
  }
  for (const auto& item : *TRY(ReadList(v, key, "strings"))) {
    const auto* text = item.if_string();
    if (text == nullptr) return OutOfLimits(key, json::Serialize(item), "strings");
    out.emplace_back(*text);
  }
  return {};
}

Result<void> ReadEarlyStopping(const json::value& v, EarlyStopping& out) {
  if (v.is_bool()) {
    out = v.get_bool() ? EarlyStopping::kYes : EarlyStopping::kNo;
  } else if (v.is_string() && v.get_string() == "never") {
    out = EarlyStopping::kNever;
  } else {
    return OutOfLimits("early_stopping", json::Serialize(v), "true, false or \"never\"");
  }
  return {};
}

Result<void> ReadLengthDecay(const json::value& v, std::optional<LengthDecay>& out) {
  const auto* pair = v.if_array();
  boost::json::error_code error;
  const int64_t start = pair != nullptr && pair->size() == 2 ? (*pair)[0].to_number<int64_t>(error) : -1;
  if (error || start < 0 || !(*pair)[1].is_number()) {
    return OutOfLimits("exponential_decay_length_penalty", json::Serialize(v), "[start, factor] with start >= 0");
  }
  out = LengthDecay{start, (*pair)[1].to_number<double>()};
  return {};
}

// Settings that change the text, in another way than with their neutral value, and that are not here.
Result<void> RefuseUnsupported(const Reader& reader) {
  const auto refuse = [&](std::string_view key, double neutral) -> Result<void> {
    const auto* v = reader.Find(key);
    if (v == nullptr || (v->is_number() && v->to_number<double>() == neutral)) return {};
    return Fail(ErrorCode::kUnimplemented, "{}: {} is not supported", key, json::Serialize(*v));
  };
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  TRY(refuse("guidance_scale", 1));
  TRY(refuse("encoder_repetition_penalty", 1));
  TRY(refuse("encoder_no_repeat_ngram_size", 0));
  TRY(refuse("num_beam_groups", 1));
  TRY(refuse("diversity_penalty", 0));
  TRY(refuse("penalty_alpha", 0));
  TRY(refuse("watermarking_config", kNone));
  TRY(refuse("force_words_ids", kNone));
  TRY(refuse("constraints", kNone));
  TRY(refuse("dola_layers", kNone));
  return {};
}

bool Within(double value, double low, double high) { return value >= low && value <= high; }

Result<void> CheckTokens(std::string_view name, const std::vector<int32_t>& tokens) {
  for (const int32_t id : tokens) {
    if (id < 0) return OutOfLimits(name, id, "token ids of at least 0");
  }
  return {};
}

Result<void> CheckCuts(const SamplingParams& p) {
  if (!(p.temperature >= 0) || !std::isfinite(p.temperature)) {
    return OutOfLimits("temperature", p.temperature, "a number of at least 0");
  }
  if (p.top_k < -1) return OutOfLimits("top_k", p.top_k, "an integer of at least 0 (0 is off, and so is -1)");
  if (!Within(p.top_p, 0, 1)) return OutOfLimits("top_p", p.top_p, "a number from 0 to 1 (1 is off)");
  if (p.min_p && !Within(*p.min_p, 0, 1)) return OutOfLimits("min_p", *p.min_p, "a number from 0 to 1");
  if (p.top_h && !(*p.top_h > 0 && *p.top_h <= 1)) {
    return OutOfLimits("top_h", *p.top_h, "a number above 0, at most 1");
  }
  if (!(p.typical_p > 0 && p.typical_p <= 1)) {
    return OutOfLimits("typical_p", p.typical_p, "a number above 0, at most 1 (1 is off)");
  }
  if (!(p.epsilon_cutoff >= 0 && p.epsilon_cutoff < 1)) {
    return OutOfLimits("epsilon_cutoff", p.epsilon_cutoff, "a number of at least 0 (off), below 1");
  }
  if (!(p.eta_cutoff >= 0 && p.eta_cutoff < 1)) {
    return OutOfLimits("eta_cutoff", p.eta_cutoff, "a number of at least 0 (off), below 1");
  }
  return {};
}

Result<void> CheckBiases(const SamplingParams& p) {
  if (!(p.repetition_penalty > 0) || !std::isfinite(p.repetition_penalty)) {
    return OutOfLimits("repetition_penalty", p.repetition_penalty, "a number above 0 (1 is off)");
  }
  if (!std::isfinite(p.frequency_penalty)) return OutOfLimits("frequency_penalty", p.frequency_penalty, "a number");
  if (!std::isfinite(p.presence_penalty)) return OutOfLimits("presence_penalty", p.presence_penalty, "a number");
  if (p.no_repeat_ngram_size < 0) {
    return OutOfLimits("no_repeat_ngram_size", p.no_repeat_ngram_size, "an integer of at least 0 (0 is off)");
  }
  for (const auto& [id, bias] : p.logit_bias) {
    if (id < 0) return OutOfLimits("logit_bias", id, "token ids of at least 0");
    if (!std::isfinite(bias)) return OutOfLimits("logit_bias", bias, "numbers");
  }
  for (const auto& [tokens, bias] : p.sequence_bias) {
    if (tokens.empty()) return OutOfLimits("sequence_bias", "an empty one", "lists of token ids");
    TRY(CheckTokens("sequence_bias", tokens));
    if (std::isnan(bias) || bias == std::numeric_limits<double>::infinity()) {
      return OutOfLimits("sequence_bias", bias, "numbers");
    }
  }
  for (const auto& word : p.bad_words_ids) {
    if (word.empty()) return OutOfLimits("bad_words_ids", "an empty one", "lists of token ids");
    TRY(CheckTokens("bad_words_ids", word));
  }
  if (p.forced_bos_token_id) TRY(CheckTokens("forced_bos_token_id", {*p.forced_bos_token_id}));
  TRY(CheckTokens("forced_eos_token_id", p.forced_eos_token_id));
  if (const auto& decay = p.exponential_decay_length_penalty) {
    if (decay->start < 0 || !std::isfinite(decay->factor)) {
      return OutOfLimits("exponential_decay_length_penalty", decay->factor, "[start, factor] with start >= 0");
    }
  }
  return {};
}

// A step where every forced token is also suppressed would have nothing to choose from.
Result<void> CheckForced(std::string_view name, const std::vector<int32_t>& forced,
                         const std::vector<int32_t>& suppressed) {
  const auto is_suppressed = [&](int32_t id) { return std::ranges::find(suppressed, id) != suppressed.end(); };
  if (!forced.empty() && std::ranges::all_of(forced, is_suppressed)) {
    return Fail(ErrorCode::kInvalidArgument, "{}: every token of it is in suppress_tokens too", name);
  }
  return {};
}

}  // namespace

Result<void> ReadSampling(const json::object& settings, SettingsFrom from, SamplingParams& params) {
  const Reader reader(settings);
  SamplingParams p = params;  // so that nothing is changed by settings that are refused
  TRY(reader.Into("max_length", p.max_length));
  TRY(reader.Into("max_new_tokens", p.max_new_tokens));
  TRY(reader.Into("min_length", p.min_length));
  TRY(reader.Into("min_new_tokens", p.min_new_tokens));
  TRY(reader.Into("do_sample", p.do_sample));
  TRY(reader.Into("temperature", p.temperature));
  TRY(reader.Into("top_h", p.top_h));
  TRY(reader.Into("top_k", p.top_k));
  TRY(reader.Into("top_p", p.top_p));
  TRY(reader.Into("min_p", p.min_p));
  TRY(reader.Into("typical_p", p.typical_p));
  TRY(reader.Into("epsilon_cutoff", p.epsilon_cutoff));
  TRY(reader.Into("eta_cutoff", p.eta_cutoff));
  TRY(reader.Into("repetition_penalty", p.repetition_penalty));
  TRY(reader.Into("frequency_penalty", p.frequency_penalty));
  TRY(reader.Into("presence_penalty", p.presence_penalty));
  TRY(reader.Into("no_repeat_ngram_size", p.no_repeat_ngram_size));
  TRY(reader.Into("suppress_tokens", p.suppress_tokens));
  TRY(reader.Into("begin_suppress_tokens", p.begin_suppress_tokens));
  TRY(reader.Into("forced_bos_token_id", p.forced_bos_token_id));
  TRY(reader.Into("forced_eos_token_id", p.forced_eos_token_id));
  TRY(reader.Into("remove_invalid_values", p.remove_invalid_values));
  TRY(reader.Into("renormalize_logits", p.renormalize_logits));
  TRY(reader.Into("eos_token_id", p.eos_token_id));
  TRY(reader.Into("num_beams", p.num_beams));
  TRY(reader.Into("length_penalty", p.length_penalty));
  TRY(reader.Into("num_return_sequences", p.num_return_sequences));
  if (const auto* v = reader.Find("logit_bias")) TRY(ReadLogitBias(*v, p.logit_bias));
  if (const auto* v = reader.Find("sequence_bias")) TRY(ReadSequenceBias(*v, p.sequence_bias));
  if (const auto* v = reader.Find("bad_words_ids")) {
    p.bad_words_ids.clear();
    for (const auto& word : *TRY(ReadList(*v, "bad_words_ids", "lists of token ids"))) {
      TRY(ReadList(word, "bad_words_ids", "lists of token ids"));
      p.bad_words_ids.push_back(TRY(ReadTokens(word, "bad_words_ids")));
    }
  }
  if (const auto* v = reader.Find("exponential_decay_length_penalty")) {
    TRY(ReadLengthDecay(*v, p.exponential_decay_length_penalty));
  }
  if (const auto* v = reader.Find("stop_strings")) TRY(ReadStrings(*v, "stop_strings", p.stop_strings));
  if (const auto* v = reader.Find("early_stopping")) TRY(ReadEarlyStopping(*v, p.early_stopping));
  if (const auto* v = reader.Find("seed")) {
    boost::json::error_code error;  // any 64 bits: clients send negative ones too
    const auto seed = v->to_number<int64_t>(error);
    if (!error) {
      p.seed = static_cast<uint64_t>(seed);
    } else {
      error = {};
      p.seed = v->to_number<uint64_t>(error);
      if (error) return OutOfLimits("seed", json::Serialize(*v), "an integer of 64 bits");
    }
  }
  TRY(RefuseUnsupported(reader));
  if (from == SettingsFrom::kRequest && reader.Find("do_sample") == nullptr) {
    if (std::ranges::any_of(kSamplingKeys, [&](std::string_view key) { return reader.Find(key) != nullptr; })) {
      p.do_sample = true;
    }
  }
  TRY(CheckSampling(p));
  params = std::move(p);
  return {};
}

Result<void> CheckSampling(const SamplingParams& p) {
  if (p.max_length && *p.max_length <= 0) return OutOfLimits("max_length", *p.max_length, "an integer above 0");
  if (p.max_new_tokens && *p.max_new_tokens <= 0) {
    return OutOfLimits("max_new_tokens", *p.max_new_tokens, "an integer above 0");
  }
  if (p.min_length < 0) return OutOfLimits("min_length", p.min_length, "an integer of at least 0");
  if (p.min_new_tokens < 0) return OutOfLimits("min_new_tokens", p.min_new_tokens, "an integer of at least 0");
  if (p.max_new_tokens && p.min_new_tokens > *p.max_new_tokens) {
    return Fail(ErrorCode::kInvalidArgument, "min_new_tokens: expected at most max_new_tokens, {}, found {}",
                *p.max_new_tokens, p.min_new_tokens);
  }
  TRY(CheckCuts(p));
  TRY(CheckBiases(p));
  if (p.forced_bos_token_id) {
    TRY(CheckForced("forced_bos_token_id", {*p.forced_bos_token_id}, p.suppress_tokens));
  }
  TRY(CheckForced("forced_eos_token_id", p.forced_eos_token_id, p.suppress_tokens));
  if (std::ranges::any_of(p.stop_strings, &std::string::empty)) {
    return OutOfLimits("stop_strings", "an empty one", "strings that are not empty");
  }
  if (p.num_beams < 1 || p.num_beams > kMaxBeams) {
    return OutOfLimits("num_beams", p.num_beams, fmt::format("an integer from 1 to {}", kMaxBeams));
  }
  if (!std::isfinite(p.length_penalty)) return OutOfLimits("length_penalty", p.length_penalty, "a number");
  if (p.num_return_sequences < 1) {
    return OutOfLimits("num_return_sequences", p.num_return_sequences, "an integer above 0");
  }
  if (p.num_beams > 1 && p.num_return_sequences > p.num_beams) {
    return Fail(ErrorCode::kInvalidArgument, "num_return_sequences: expected at most num_beams, {}, found {}",
                p.num_beams, p.num_return_sequences);
  }
  return {};
}

}  // namespace bothy
