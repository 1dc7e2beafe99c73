// What a step runs: a token of every text, proposed tokens where they pay, and prompts for a bounded time.
#include <algorithm>
#include <tuple>

#include "runtime/scheduler/scheduler_core.h"

namespace bothy {

void SchedulerCore::MakePlan() {
  plan_.clear();
  std::vector<Stream*> prompts;
  for (Stream* stream : running_) {
    if (reuses_ && stream->pending() > 1) {
      const size_t known =
          prefix_.Advance(stream->lease, stream->history.tokens(), stream->history.size() - 1, stream->sequence);
      if (stream->history.new_tokens() == 0) {
        stream->request->result.cached_tokens += known;
        Count("cached", stats_.cached_tokens, known);
      }
    }
    if (stream->pending() == 1 && stream->history.new_tokens() > 0) {
      plan_.push_back({.stream = stream, .count = 1, .decodes = true, .logit_rows = 1});
    } else {
      prompts.push_back(stream);
    }
  }
  if (!prompts.empty()) {
    PlanPrompts(std::move(prompts));
  } else if (reuses_ && options_.look_up) {
    PlanDrafts();
  }
  FitPages();
}

void SchedulerCore::PlanDrafts() {
  std::vector<DraftCandidate> candidates;
  for (Part& part : plan_) {
    Stream& stream = *part.stream;
    const size_t size = stream.history.size();
    const size_t most = std::min({kMaxDraft, stream.request->max_length - size - 1, capacity_ - size});
    stream.lookup.Update(stream.history.tokens());
    stream.lookup.Propose(stream.history.tokens(), most, part.proposal);
    candidates.push_back({stream.acceptance.rate(), size, part.proposal.size()});
  }
  const std::vector<size_t> drafts = ChooseDrafts(cost_, Work(), plan_.size(), candidates);
  for (size_t i = 0; i < plan_.size(); i++) plan_[i].SetDrafts(drafts[i]);
}

// Those of the least served users first, so that a long prompt does not hold up everybody's short ones.
void SchedulerCore::PlanPrompts(std::vector<Stream*> prompts) {
  std::ranges::sort(prompts, std::less<>(), [](const Stream* stream) {
    return std::tuple(-int64_t{stream->request->asked.priority}, stream->user->served, stream->request->id,
                      stream->number);
  });
  StepWork work = Work();
  const double limit = cost_.Seconds(work) + (plan_.empty() ? options_.lone_prompt_seconds : options_.prompt_seconds);
  bool any = false;
  for (Stream* stream : prompts) {
    size_t most = stream->pending();
    const size_t length = stream->sequence.length(), prompt = stream->request->prompt().size();
    // Where a result depends on the call's length, every token is run in a call like its first one.
    if (!reuses_) most = length < prompt ? prompt - length : 1;
    size_t count = cost_.RowsWithin(work, length, most, limit - cost_.Seconds(work));
    if (count == 0 && !any) count = 1;  // however slow the model is, prompts go on
    if (count == 0) break;
    any = true;
    const size_t logit_rows = count == stream->pending() ? 1 : 0;
    plan_.push_back({.stream = stream, .count = count, .logit_rows = logit_rows});
    work.Add(count, length, logit_rows);
    if (count < most) break;
  }
}

// Makes room for the step: proposed tokens go first, then pages that nobody uses, then the least senior texts.
void SchedulerCore::FitPages() {
  for (;;) {
    size_t pages = 0;
    for (const Part& part : plan_) pages += part.stream->sequence.PagesFor(part.count);
    const size_t free = engine_.cache().free_pages();
    if (pages <= free) return;
    if (pages <= free + prefix_.unused_pages()) {
      prefix_.Evict(pages - free);
      return;
    }
    bool dropped = false;
    for (Part& part : plan_) {
      if (part.drafts() == 0) continue;
      part.SetDrafts(0);
      dropped = true;
    }
    if (dropped) continue;
    Stream* const least = running_.back();
    std::erase_if(plan_, [&](const Part& part) { return part.stream == least; });
    Preempt(*least);
  }
}

StepWork SchedulerCore::Work() const {
  StepWork work;
  for (const Part& part : plan_) work.Add(part.count, part.stream->sequence.length(), part.logit_rows);
  return work;
}

std::vector<EngineInput> SchedulerCore::Inputs() {
  std::vector<EngineInput> inputs;
  for (Part& part : plan_) {
    Stream& stream = *part.stream;
    EngineInput input = {.sequence = &stream.sequence};
    if (part.decodes) {
      part.tokens = {stream.history.tokens().back()};
      part.tokens.insert(part.tokens.end(), part.proposal.begin(),
                         part.proposal.begin() + static_cast<ptrdiff_t>(part.drafts()));
      input.tokens = part.tokens;
      input.want = EngineInput::Want::kAll;
    } else {
      input.tokens = stream.history.tokens().subspan(stream.sequence.length(), part.count);
      input.want = part.logit_rows > 0 ? EngineInput::Want::kLast : EngineInput::Want::kNone;
      if (stream.sequence.length() < stream.request->prompt().size())
        input.call_length = stream.request->prompt().size();
    }
    inputs.push_back(input);
  }
  return inputs;
}

}  // namespace bothy
