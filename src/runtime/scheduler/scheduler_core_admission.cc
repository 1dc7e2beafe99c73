// Which texts run: who is let in, and who makes room.
#include <algorithm>

#include "runtime/scheduler/scheduler_core.h"

namespace bothy {
namespace {

size_t PagesOf(size_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

}  // namespace

void SchedulerCore::Admit() {
  while (Stream* next = users_.Next()) {
    if (next->history.size() >= next->request->max_length) {  // nothing was asked for
      EndRequest(*next->request, FinishReason::kLength, std::nullopt);
      continue;
    }
    // Alone, every text has room: that was looked at when it came.
    if (!running_.empty() && !MakeRoom(*next)) return;
    users_.Remove(*next);
    next->request->place.Leave();
    Start(*next);
  }
}

// The texts of a prompt run side by side as soon as it has been run.
size_t SchedulerCore::Seats(const Stream& stream) {
  const Request& request = *stream.request;
  return 1 + request.count() - request.streams.size();
}

SchedulerCore::Lack SchedulerCore::LackFor(const Stream& stream) const {
  size_t seats = Seats(stream), pages = PagesOf(stream.history.size() + 1);
  size_t available = engine_.cache().free_pages() + prefix_.unused_pages();
  if (reuses_) {
    const PrefixCache::Known known =
        prefix_.Find(stream.request->asked.cache_scope, stream.history.tokens(), stream.history.size() - 1);
    pages -= known.tokens / kPageTokens;
    available -= known.unused_pages;
  }
  for (const Stream* other : running_) {
    seats += Seats(*other);
    // What it still needs for its prompt, and a page to go on with.
    pages += PagesOf(other->history.size() + 1) + 1 -
             std::min(PagesOf(other->history.size() + 1), other->sequence.pages().size());
  }
  return {seats > options_.max_running ? seats - options_.max_running : 0, pages > available ? pages - available : 0};
}

// Texts of lower priority go, the least senior first; and where the user of this one has none running, so do those of
// users who have several.
bool SchedulerCore::MakeRoom(const Stream& stream) {
  Lack lack = LackFor(stream);
  std::vector<Stream*> leaving;
  for (size_t i = running_.size(); i-- > 0 && lack.any();) {
    Stream& other = *running_[i];
    const int priority = other.request->asked.priority;
    const auto left = other.user->running - static_cast<size_t>(std::ranges::count(leaving, other.user, &Stream::user));
    const bool fair = priority == stream.request->asked.priority && stream.user->running == 0 && left > 1;
    if (priority >= stream.request->asked.priority && !fair) continue;
    leaving.push_back(&other);
    lack.seats -= std::min(lack.seats, Seats(other));
    lack.pages -= std::min(lack.pages, other.sequence.pages().size() + 1);
  }
  if (lack.any()) return false;
  for (Stream* other : leaving) Preempt(*other);
  return true;
}

void SchedulerCore::Start(Stream& stream) {
  stream.state = Stream::State::kRunning;
  stream.user->running++;
  running_.insert(std::ranges::upper_bound(running_, &stream, Senior()), &stream);
}

// Gives its pages back; those that others may want again stay known.
void SchedulerCore::Stop(Stream& stream) {
  Keep(stream);
  running_.erase(std::ranges::find(running_, &stream));
  stream.user->running--;
  stream.sequence.Truncate(0);
  stream.lease.Reset();
}

void SchedulerCore::Preempt(Stream& stream) {
  Stop(stream);
  stream.lease = prefix_.Open(stream.request->asked.cache_scope);
  stream.state = Stream::State::kWaiting;
  users_.Push(stream);
  stats_.preemptions++;
  if (options_.metrics != nullptr) options_.metrics->preemptions.Add({options_.metrics_label});
}

}  // namespace bothy
