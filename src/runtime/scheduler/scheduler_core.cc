#include "runtime/scheduler/scheduler_core.h"

#include <algorithm>
#include <random>

namespace bothy {

SchedulerCore::SchedulerCore(Engine& engine, const Tokenizer* tokenizer, CostModel cost, SchedulerOptions options,
                             SchedulerClock clock)
    : engine_(engine),
      tokenizer_(tokenizer),
      cost_(std::move(cost)),
      options_(std::move(options)),
      clock_(std::move(clock)),
      reuses_(!engine.info().length_dependent),
      capacity_(std::min(engine.info().context_length, engine.cache().pages() * kPageTokens)) {
  stats_.pages = engine.cache().pages();
}

SchedulerCore::~SchedulerCore() = default;

Result<std::unique_ptr<Request>> SchedulerCore::Prepare(StreamRequest asked, StreamSink sink) {
  const std::vector<int32_t>& prompt = asked.generation.prompt;
  const SamplingParams& params = asked.generation.params;
  if (prompt.empty()) return Fail(ErrorCode::kInvalidArgument, "the prompt has no tokens");
  TRY(CheckSampling(params));
  if (params.num_beams > 1) {
    return Fail(ErrorCode::kUnimplemented, "num_beams {}: beam search is not served, only bothy generate has it",
                params.num_beams);
  }
  if (static_cast<size_t>(params.num_return_sequences) > options_.max_running) {
    return Fail(ErrorCode::kInvalidArgument, "{} texts of one prompt: at most {} are made at once",
                params.num_return_sequences, options_.max_running);
  }
  if (!params.stop_strings.empty() && tokenizer_ == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "stop strings need a tokenizer, which this model has none of");
  }
  const size_t vocabulary = engine_.info().vocabulary, context = engine_.info().context_length;
  for (const int32_t token : prompt) {
    if (token < 0 || static_cast<size_t>(token) >= vocabulary) {
      return Fail(ErrorCode::kOutOfRange, "token {} is not in the model's vocabulary of {}", token, vocabulary);
    }
  }
  if (prompt.size() > context) {
    return Fail(ErrorCode::kOutOfRange, "a prompt of {} tokens does not fit into the model's context of {}",
                prompt.size(), context);
  }
  if (prompt.size() > capacity_) {
    return Fail(ErrorCode::kResourceExhausted, "a prompt of {} tokens does not fit into the cache of {}", prompt.size(),
                capacity_);
  }
  Sampler sampler = TRY(Sampler::Create(params, vocabulary));
  if (places_taken_.fetch_add(1) >= options_.max_waiting) {
    places_taken_.fetch_sub(1);
    return Fail(ErrorCode::kResourceExhausted, "{} requests wait already: try again later", options_.max_waiting);
  }
  auto request = std::make_unique<Request>(Request{.id = next_id_.fetch_add(1),
                                                   .asked = std::move(asked),
                                                   .sampler = std::move(sampler),
                                                   .sink = std::move(sink),
                                                   .place = WaitingPlace(places_taken_),
                                                   .submitted = clock_()});
  const SamplingParams& kept = request->asked.generation.params;
  request->max_length = MaxLength(kept, request->prompt().size());
  request->result.prompt_tokens = request->prompt().size();
  request->result.seed = kept.seed.value_or(0);
  if (!kept.seed && kept.Samples()) request->result.seed = std::random_device{}();
  return request;
}

void SchedulerCore::Add(std::unique_ptr<Request> added) {
  Request& request = *added;
  const GenerationRequest& generation = request.asked.generation;
  auto stream = std::make_unique<Stream>(Stream{
      .request = &request,
      .user = users_.Join(request.asked.user),
      .history = TokenHistory(generation.params, generation.prompt, request.max_length),
      .sequence = engine_.NewSequence(),
      .lease = prefix_.Open(request.asked.cache_scope),
  });
  if (tokenizer_ != nullptr) {
    stream->text.emplace(*tokenizer_, generation.params.stop_strings, generation.show_special_tokens);
  }
  if (generation.constraint) stream->constraint = generation.constraint(0);
  users_.Push(*stream);
  request.streams.push_back(std::move(stream));
  requests_.emplace(request.id, std::move(added));
}

void SchedulerCore::Cancel(StreamId id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  EndRequest(*found->second, FinishReason::kCancelled, std::nullopt);
  ended_.clear();
}

void SchedulerCore::EndAll(const Error& why) {
  while (!requests_.empty()) EndRequest(*requests_.begin()->second, FinishReason::kCancelled, why);
  ended_.clear();
}

bool SchedulerCore::Step() {
  Admit();
  MakePlan();
  if (!plan_.empty()) {
    const std::vector<EngineInput> inputs = Inputs();
    const StepWork work = Work();
    logits_.resize(std::max(logits_.size(), work.logit_rows * engine_.info().vocabulary));
    const double start = clock_();
    const Result<void> ran = engine_.Run(inputs, logits_.data());
    const double now = clock_();
    stats_.steps++;
    if (options_.metrics != nullptr) options_.metrics->step.Observe({options_.metrics_label}, now - start);
    if (ran) {
      cost_.Observe(work, now - start);
      TakeResults(now);
    } else {
      for (const Part& part : plan_) {
        if (part.stream->state == Stream::State::kRunning) {
          EndRequest(*part.stream->request, FinishReason::kCancelled, ran.error());
        }
      }
    }
    plan_.clear();
  }
  ended_.clear();
  return !requests_.empty();
}

void SchedulerCore::TakeResults(double now) {
  const float* logits = logits_.data();
  for (const Part& part : plan_) {
    if (!part.decodes) Count("prompt", stats_.prompt_tokens, part.count);
    if (part.stream->state == Stream::State::kRunning) {
      Request& request = *part.stream->request;
      part.stream->user->served += part.count;
      const Result<void> taken = TakePart(part, logits, now);
      if (!taken) EndRequest(request, FinishReason::kCancelled, taken.error());
    }
    logits += part.logit_rows * engine_.info().vocabulary;
  }
}

Result<void> SchedulerCore::TakePart(const Part& part, const float* logits, double now) {
  Stream& stream = *part.stream;
  if (part.logit_rows == 0) {
    Keep(stream);
    return {};
  }
  const size_t vocabulary = engine_.info().vocabulary, before = stream.history.size();
  const auto row = [&](size_t index) { return std::span(logits + index * vocabulary, vocabulary); };
  Request& request = *stream.request;
  if (request.streams.size() < request.count()) FanOut(stream);
  if (before == request.prompt().size()) {
    // The prompt's logits are those of all its texts; but one that was preempted since has its own.
    for (size_t i = 1; i < request.streams.size(); i++) {
      Stream& other = *request.streams[i];
      if (&other != &stream && other.history.size() == before) TRY(Choose(other, row(0), now));
    }
  }
  // Logits behind a proposed token count where that is the one that was chosen.
  size_t right = 0;
  for (size_t i = 0; stream.state == Stream::State::kRunning; i++) {
    TRY(Choose(stream, row(i), now));
    if (i >= part.proposal.size() || stream.history.tokens().back() != part.proposal[i]) break;
    right++;
    if (i >= part.drafts()) break;
  }
  if (stream.state == Stream::State::kRunning) Keep(stream);
  if (part.proposal.empty()) return {};
  stream.acceptance.Observe(right, right < std::max<size_t>(part.drafts(), 1));
  const size_t accepted = std::min(right, part.drafts());
  stats_.drafted_tokens += part.drafts();
  stats_.accepted_tokens += accepted;
  if (options_.metrics != nullptr && part.drafts() > 0) {
    const std::string& model = options_.metrics_label;
    options_.metrics->drafts.Add({model, "accepted"}, static_cast<double>(accepted));
    options_.metrics->drafts.Add({model, "rejected"}, static_cast<double>(part.drafts() - accepted));
  }
  return {};
}

// Forgets what was run and not chosen, and makes the full pages known to others.
void SchedulerCore::Keep(Stream& stream) {
  stream.sequence.Truncate(stream.history.size() - 1);
  if (reuses_) prefix_.Enter(stream.lease, stream.history.tokens(), stream.sequence);
}

// The texts of a prompt begin where it has been run, with its pages.
void SchedulerCore::FanOut(Stream& first) {
  Request& request = *first.request;
  const GenerationRequest& generation = request.asked.generation;
  if (reuses_) prefix_.Enter(first.lease, first.history.tokens(), first.sequence);
  while (request.streams.size() < request.count()) {
    const auto number = static_cast<uint32_t>(request.streams.size());
    auto stream = std::make_unique<Stream>(Stream{
        .request = &request,
        .user = users_.Join(request.asked.user),
        .number = number,
        .history = first.history,
        .sequence = first.sequence.Fork(),
        .lease = first.lease.Fork(),
    });
    if (tokenizer_ != nullptr) {
      stream->text.emplace(*tokenizer_, generation.params.stop_strings, generation.show_special_tokens);
    }
    if (generation.constraint) stream->constraint = generation.constraint(number);
    Start(*stream);
    request.streams.push_back(std::move(stream));
  }
}

Result<void> SchedulerCore::Choose(Stream& stream, std::span<const float> logits, double now) {
  Request& request = *stream.request;
  const TokenChooser chooser = {&request.sampler, request.result.seed, stream.number,
                                request.asked.generation.log_probs, stream.constraint.get()};
  TokenChoice choice = TRY(ChooseToken(chooser, logits, stream.history, scratch_));
  request.result.generated_tokens++;
  Count("generated", stats_.generated_tokens, 1);
  if (options_.metrics != nullptr) {
    const bool first = stream.history.new_tokens() == 1;
    auto& times = first ? options_.metrics->first_token : options_.metrics->between_tokens;
    times.Observe({options_.metrics_label}, now - (first ? request.submitted : stream.last_token));
  }
  stream.last_token = now;
  std::string text;
  if (stream.text && !choice.end) text = stream.text->Push(choice.token);
  request.sink(StreamToken{stream.number, choice.token, choice.end, std::move(text), std::move(choice.log_probs)});
  if (choice.end || (stream.text && stream.text->stop())) {
    End(stream, FinishReason::kStop);
  } else if (choice.longest) {
    End(stream, FinishReason::kLength);
  } else if (stream.history.size() > capacity_) {
    End(stream, FinishReason::kContext);
  }
  return {};
}

void SchedulerCore::End(Stream& stream, FinishReason reason) {
  Request& request = *stream.request;
  if (stream.state == Stream::State::kRunning) {
    Stop(stream);
  } else {
    users_.Remove(stream);
  }
  stream.state = Stream::State::kEnded;
  SequenceEnd end = {.sequence = stream.number, .reason = reason, .tokens = stream.history.new_tokens()};
  if (stream.text) {
    end.text = stream.text->Finish();
    end.stop_string = stream.text->stop();
  }
  request.sink(std::move(end));
  users_.Leave(stream.user);
  if (++request.ended == request.count()) Finish(request);
}

void SchedulerCore::EndRequest(Request& request, FinishReason reason, std::optional<Error> error) {
  request.outcome = error ? "failed" : reason == FinishReason::kCancelled ? "cancelled" : "done";
  request.result.error = std::move(error);
  const size_t begun = request.streams.size();
  for (auto number = static_cast<uint32_t>(begun); number < request.count(); number++) {
    request.sink(SequenceEnd{.sequence = number, .reason = reason});
    request.ended++;
  }
  for (size_t i = 0; i < begun; i++) {
    if (request.streams[i]->state != Stream::State::kEnded) End(*request.streams[i], reason);
  }
}

void SchedulerCore::Finish(Request& request) {
  request.place.Leave();
  if (options_.metrics != nullptr) options_.metrics->requests.Add({options_.metrics_label, request.outcome});
  request.sink(request.result);
  const auto found = requests_.find(request.id);
  ended_.push_back(std::move(found->second));
  requests_.erase(found);
}

void SchedulerCore::Count(std::string_view kind, uint64_t& total, size_t tokens) {
  total += tokens;
  if (options_.metrics != nullptr && tokens > 0) {
    options_.metrics->tokens.Add({options_.metrics_label, kind}, static_cast<double>(tokens));
  }
}

SchedulerStats SchedulerCore::stats() const {
  SchedulerStats stats = stats_;
  stats.running = running_.size();
  stats.users = users_.users().size();
  for (const auto& [name, user] : users_.users()) stats.waiting += user->waiting.size();
  stats.pages_cached = prefix_.unused_pages();
  stats.pages_in_use = stats.pages - engine_.cache().free_pages() - stats.pages_cached;
  return stats;
}

}  // namespace bothy
