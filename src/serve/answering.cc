#include "serve/answering.h"

#include <algorithm>

#include "serve/constraint_grammar.h"

namespace bothy::serve {
namespace {

std::optional<ToolCallReader> CallReader(const ChatPrompt& chat, const ChatRequest& request, const std::string& id,
                                         size_t choice) {
  if (!MayCall(request)) return std::nullopt;
  return ToolCallReader(chat.tool_syntax(), request.tools, request.parallel_tool_calls,
                        "call_" + id + (choice > 0 ? fmt::format("_{}_", choice) : "_"));
}

}  // namespace

Result<SamplingParams> Answering::ParamsOf(const GenerationOptions& options) const {
  SamplingParams params = model_->defaults();
  TRY(ReadSampling(options.sampling, SettingsFrom::kRequest, params));
  params.stop_strings.insert(params.stop_strings.end(), options.stop.begin(), options.stop.end());
  if (options.ignore_end) params.eos_token_id.clear();
  if (options.context_length && *options.context_length > static_cast<int64_t>(model_->context())) {
    return Fail(ErrorCode::kOutOfRange, "a context of {} tokens was asked for, and {} is served with {}",
                *options.context_length, model_->name(), model_->context());
  }
  return params;
}

Result<std::unique_ptr<Answering>> Answering::Start(std::shared_ptr<ServedModel> model, const ChatRequest& request,
                                                    const AskedBy& by, const std::string& id, Sink sink) {
  const ChatPrompt* const chat = model->chat();
  if (chat == nullptr) {
    return Fail(ErrorCode::kInvalidArgument,
                "{} has no chat template, so it takes no conversation: ask it to continue a text (/v1/completions)",
                model->name());
  }
  const std::string prompt = TRY(chat->Render(request));
  const ReasoningReader reasoning(chat->reasoning(), prompt);
  std::unique_ptr<Answering> answering(new Answering(model));
  SamplingParams params = TRY(answering->ParamsOf(request.options));
  TokenIds ids = TRY(model->tokenizer().Encode(prompt, {.special = EncodeOptions::Special::kParse}));
  GenerationOptions options = request.options;
  TRY(answering->Submit(
      std::move(ids), options, params, by, TRY(model->GrammarFor(chat->Constraint(request))), reasoning,
      MayCall(request),
      [&](size_t choice) { return AnswerReader(choice, reasoning, CallReader(*chat, request, id, choice)); }, sink));
  return answering;
}

Result<std::unique_ptr<Answering>> Answering::Start(std::shared_ptr<ServedModel> model,
                                                    const CompletionRequest& request, const AskedBy& by,
                                                    const std::string& /*id*/, Sink sink) {
  std::unique_ptr<Answering> answering(new Answering(model));
  if (request.options.prompt_log_probs) {
    return Fail(ErrorCode::kUnimplemented, "log-probabilities of the prompt's tokens cannot be given");
  }
  const SamplingParams params = TRY(answering->ParamsOf(request.options));
  const auto grammar = TRY(model->GrammarFor(ConstraintOf(request.options.format)));
  const ReasoningReader no_reasoning({}, "");
  for (const Prompt& prompt : request.prompts) {
    TokenIds ids;
    if (const auto* text = std::get_if<std::string>(&prompt)) {
      ids = TRY(model->tokenizer().Encode(*text, {.add_special_tokens = request.add_special_tokens}));
    } else {
      ids = std::get<TokenIds>(prompt);
    }
    if (request.truncate && static_cast<int64_t>(ids.size()) > *request.truncate) {
      ids.erase(ids.begin(), ids.end() - *request.truncate);
    }
    if (request.echo) {
      const auto* text = std::get_if<std::string>(&prompt);
      const std::string shown = text != nullptr ? *text : model->tokenizer().Decode(ids);
      const size_t first = answering->readers_.size();
      for (size_t i = 0; i < static_cast<size_t>(params.num_return_sequences); i++) {
        answering->opening_.push_back({.choice = first + i, .what = TextDelta{shown}, .tokens = {}});
      }
    }
    TRY(answering->Submit(
        std::move(ids), request.options, params, by, grammar, no_reasoning, false,
        [&](size_t choice) { return AnswerReader(choice, no_reasoning, std::nullopt); }, sink));
  }
  return answering;
}

Result<void> Answering::Submit(TokenIds prompt, const GenerationOptions& options, SamplingParams params,
                               const AskedBy& by, const std::shared_ptr<const CompiledGrammar>& grammar,
                               const ReasoningReader& reasoning, bool calls, const MakeReader& reader,
                               const Sink& sink) {
  if (prompt.empty()) return Fail(ErrorCode::kInvalidArgument, "the prompt has no tokens");
  if (prompt.size() >= model_->context()) {
    return Fail(ErrorCode::kOutOfRange,
                "the prompt has {} tokens, and the context of {} has room for {} with at least one of an answer",
                prompt.size(), model_->name(), model_->context());
  }
  length_asked_ = params.max_new_tokens.has_value();
  const auto room = static_cast<int64_t>(model_->context() - prompt.size());
  asked_tokens_ = params.max_new_tokens.value_or(room);
  params.max_new_tokens = std::min(asked_tokens_, room);
  params.max_length.reset();
  stop_strings_ = params.stop_strings;
  per_prompt_ = static_cast<size_t>(params.num_return_sequences);
  with_tokens_ = options.log_probs.has_value();
  const size_t number = ids_.size();
  for (size_t i = 0; i < per_prompt_; i++) readers_.push_back(reader(number * per_prompt_ + i));
  summary_.choice_tokens.resize(readers_.size());
  prompt_tokens_ += prompt.size();
  StreamRequest request;
  request.generation.prompt = std::move(prompt);
  request.generation.params = std::move(params);
  request.generation.log_probs = options.log_probs;
  request.generation.show_special_tokens = calls;
  if (grammar != nullptr) {
    request.generation.constraint = [grammar, model = model_.get(), reasoning](uint32_t) {
      return std::make_unique<GrammarConstraint>(grammar, model->tokenizer(), reasoning);
    };
  }
  request.user = by.user;
  request.cache_scope = by.cache_scope;
  request.priority = by.priority;
  ids_.push_back(TRY(model_->scheduler().Submit(
      std::move(request), [sink, number](StreamEvent event) { sink(number, std::move(event)); })));
  prompts_left_++;
  return {};
}

TokenDetail Answering::DetailOf(int32_t token, const std::optional<LogProbs>& log_probs) const {
  const Tokenizer& tokenizer = model_->tokenizer();
  TokenDetail detail{.id = token, .text = model_->BytesOf(token), .special = tokenizer.IsSpecial(token)};
  if (!log_probs) return detail;
  detail.log_prob = log_probs->chosen;
  for (const TokenLogProb& likely : log_probs->top) {
    detail.top.push_back({likely.token, model_->BytesOf(likely.token), likely.log_prob});
  }
  return detail;
}

AnswerEnd Answering::EndOf(const SequenceEnd& end) const {
  if (end.stop_string) return {StopReason::kStopString, stop_strings_[*end.stop_string]};
  switch (end.reason) {
    case FinishReason::kStop: return {StopReason::kEnd, ""};
    case FinishReason::kLength:
      // Where the context was the limit that counted.
      return {static_cast<int64_t>(end.tokens) < asked_tokens_ || !length_asked_ ? StopReason::kContext
                                                                                 : StopReason::kLength,
              ""};
    case FinishReason::kContext: return {StopReason::kContext, ""};
    case FinishReason::kCancelled: break;
  }
  return {StopReason::kCancelled, ""};
}

Result<std::vector<ChatEvent>> Answering::Take(size_t prompt, StreamEvent event) {
  if (auto* token = std::get_if<StreamToken>(&event)) {
    std::vector<TokenDetail> tokens;
    if (with_tokens_) tokens.push_back(DetailOf(token->token, token->log_probs));
    return readers_[prompt * per_prompt_ + token->sequence].Feed(token->text, std::move(tokens));
  }
  if (auto* end = std::get_if<SequenceEnd>(&event)) {
    const size_t choice = prompt * per_prompt_ + end->sequence;
    std::vector<ChatEvent> events = readers_[choice].Feed(end->text);
    for (ChatEvent& last : readers_[choice].Finish(EndOf(*end))) events.push_back(std::move(last));
    summary_.choice_tokens[choice] = end->tokens;
    return events;
  }
  const auto& end = std::get<RequestEnd>(event);
  prompts_left_--;
  if (end.error) return tl::unexpected(*end.error);
  summary_.usage.prompt_tokens += end.prompt_tokens;
  summary_.usage.cached_tokens += end.cached_tokens;
  summary_.usage.completion_tokens += end.generated_tokens;
  summary_.seed = end.seed;
  return std::vector<ChatEvent>();
}

void Answering::Cancel() {
  if (prompts_left_ == 0) return;
  for (const StreamId id : ids_) model_->scheduler().Cancel(id);
}

}  // namespace bothy::serve
