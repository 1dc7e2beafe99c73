#include "api/serving/answer.h"

#include <chrono>
#include <optional>
#include <stop_token>

#include "api/protocol/fields.h"
#include "api/serving/event_queue.h"
#include "base/log.h"
#include "crypto/secrets.h"
#include "serve/answering.h"
#include "serve/serving.h"

namespace bothy::api {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// One answer while it comes. The scheduler's thread has the queue alone.
struct Running {
  std::shared_ptr<EventQueue> queue = std::make_shared<EventQueue>();
  std::unique_ptr<serve::Answering> answering;
  std::unique_ptr<serve::AnswerFormat> format;
  serve::AnswerHead head;
  std::stop_token gone;
  SteadyTime asked, loaded;
  std::optional<SteadyTime> first;

  serve::Summary Summary() const {
    serve::Summary summary = answering->summary();
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto nanoseconds = [](auto span) { return std::chrono::nanoseconds(span).count(); };
    summary.timing = {.load = nanoseconds(loaded - asked),
                      .prompt = nanoseconds(first.value_or(now) - loaded),
                      .generation = nanoseconds(now - first.value_or(now)),
                      .total = nanoseconds(now - asked)};
    return summary;
  }

  Result<std::vector<serve::ChatEvent>> Take(EventQueue::Event event) {
    if (!first) first = std::chrono::steady_clock::now();
    return answering->Take(event.first, std::move(event.second));
  }
};

Result<void> Begin(Running& running, serve::Serving& serving, const Actor& actor, const std::string& remote,
                   const serve::Exchange& exchange) {
  const auto found = TRY(serving.Find(actor, exchange.options().model));
  auto model = TRY(serving.pool().Get(found.place));
  running.loaded = std::chrono::steady_clock::now();
  running.head.model = found.name;
  const std::string user = actor.IsNobody() ? remote : actor.name;
  const serve::AskedBy by{.user = user, .cache_scope = user};
  const auto sink = [queue = running.queue](size_t prompt, StreamEvent event) { queue->Put(prompt, std::move(event)); };
  running.answering = TRY(std::visit(
      [&](const auto& request) {
        return serve::Answering::Start(std::move(model), request, by, running.head.id, sink);
      },
      exchange.request));
  running.head.prompt_tokens = running.answering->prompt_tokens();
  return {};
}

net::Task<Result<serve::Answer>> WholeAnswer(Running& running) {
  serve::Answer answer;
  for (const serve::ChatEvent& event : running.answering->opening()) answer.Add(event);
  while (!running.answering->finished()) {
    for (EventQueue::Event& event : co_await running.queue->Take()) {
      auto events = running.Take(std::move(event));
      if (!events) co_return tl::unexpected(events.error());
      for (const serve::ChatEvent& one : *events) answer.Add(one);
    }
  }
  co_return answer;
}

net::Task<Result<void>> WriteStream(Running& running, net::BodyWriter& body) {
  const std::stop_callback cancel(running.gone, [&] { running.answering->Cancel(); });
  std::string start = running.format->Start(running.head);
  for (const serve::ChatEvent& event : running.answering->opening()) start += running.format->Event(event);
  auto started = co_await body.Write(start);
  CO_TRY(started);
  while (!running.answering->finished()) {
    std::string bytes;
    std::optional<Error> failed;
    for (EventQueue::Event& event : co_await running.queue->Take()) {
      auto events = running.Take(std::move(event));
      if (!events) {
        failed = events.error();
        break;
      }
      for (const serve::ChatEvent& one : *events) bytes += running.format->Event(one);
    }
    if (failed) bytes += running.format->Failed(*failed);
    auto written = co_await body.Write(bytes);
    CO_TRY(written);
    if (failed) co_return Result<void>();
  }
  auto ended = co_await body.Write(running.format->End(running.Summary()));
  co_return ended;
}

}  // namespace

net::Task<net::Response> AnswerExchange(Call& call, serve::Exchange exchange, RefuseFunction refuse) {
  if (call.service.serving == nullptr) {
    co_return refuse(Error{ErrorCode::kUnavailable, "this server keeps models and runs none"});
  }
  const auto running = std::make_shared<Running>();
  running->asked = std::chrono::steady_clock::now();
  running->gone = call.request.gone;
  running->head = {
      .id = RandomAlphanumeric(24),
      .model = exchange.options().model,
      .created = std::chrono::duration_cast<std::chrono::seconds>(call.hub().now().time_since_epoch()).count(),
      .server = "bothy"};
  auto begun = co_await net::RunBlocking(call.service.loading, [&] {
    return Begin(*running, *call.service.serving, call.actor, call.request.remote, exchange);
  });
  if (!begun) co_return refuse(begun.error());
  running->format = std::move(exchange.format);
  if (exchange.options().stream) {
    co_return net::Response::Stream(net::Status::kOk, running->format->media_type(), [running](net::BodyWriter& body) {
      return WriteStream(*running, body);
    }).With("Cache-Control", "no-cache");
  }
  const std::stop_callback cancel(running->gone, [&] { running->answering->Cancel(); });
  auto answer = co_await WholeAnswer(*running);
  if (!answer) co_return refuse(answer.error());
  co_return net::Response::Json(net::Status::kOk, running->format->Whole(running->head, *answer, running->Summary()));
}

net::Task<net::Response> AnswerBody(Call& call, ParseFunction parse, RefuseFunction refuse) {
  auto body = co_await net::ReadAll(*call.request.body, kMaxRequestBytes);
  if (!body) co_return refuse(body.error());
  auto exchange = ParseRequest(*body).and_then(parse);
  if (!exchange) co_return refuse(exchange.error());
  co_return co_await AnswerExchange(call, *std::move(exchange), refuse);
}

}  // namespace bothy::api
