// bothy serve: the hub, for clients that speak to Hugging Face.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "api/app.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/serve_options.h"
#include "cli/terminal.h"
#include "hub/data_lock.h"
#include "hub/housekeeping.h"
#include "mirror/mirror.h"
#include "net/access_log.h"
#include "net/server.h"
#include "net/server_metrics.h"
#include "serve/serving.h"

namespace bothy::cli {
namespace {

void LogRecovery(const RecoveryReport& report) {
  const auto log = [](LogLevel level, std::string_view event, const std::vector<std::string>& names) {
    for (const std::string& name : names) Log(level, event, {{"repository", name}});
  };
  log(LogLevel::kInfo, "creation undone", report.undone_creations);
  log(LogLevel::kInfo, "deletion finished", report.finished_deletions);
  log(LogLevel::kInfo, "move finished", report.finished_moves);
  log(LogLevel::kError, "repository missing on the disk", report.missing);
  log(LogLevel::kWarning, "repository unknown to the database", report.unknown);
}

constexpr std::chrono::minutes kFirstCollection{10};

void LogHousekeeping(const Housekept& kept) {
  Log(LogLevel::kInfo, "content collected", {{"files", kept.content.files}, {"bytes", kept.content.bytes}});
  if (!kept.repositories) return;
  Log(LogLevel::kInfo, "repositories tidied",
      {{"packed", kept.repositories->packed}, {"bytes", kept.repositories->freed_bytes}});
}

// Beside the server, until it ends.
class Housekeeping {
 public:
  Housekeeping(Hub& hub, std::chrono::hours every) {
    if (every.count() == 0) return;
    thread_ = std::jthread([this, &hub, every](const std::stop_token& stop) {
      std::unique_lock lock(mutex_);
      // The first soon, or a server that is started anew every day would never come to it.
      std::chrono::minutes wait = kFirstCollection;
      while (!wake_.wait_for(lock, stop, wait, [] { return false; }) && !stop.stop_requested()) {
        wait = every;
        const auto kept = KeepHouse(hub, {.repositories = true, .progress = [&](std::string_view, uint64_t, uint64_t) {
                                            return !stop.stop_requested();
                                          }});
        if (kept) LogHousekeeping(*kept);
        if (kept || stop.stop_requested()) continue;
        Log(LogLevel::kError, "housekeeping failed", {{"error", kept.error()}});
        if (kept.error().code == ErrorCode::kUnavailable) wait = kFirstCollection;  // a backup is being made
      }
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

Result<std::unique_ptr<Mirror>> OpenMirror(Hub& hub, const ServeOptions& options, Metrics& metrics) {
  if (options.mirror_upstream.empty()) return nullptr;
  const auto endpoint =
      TRY_CONTEXT("--mirror-upstream", client::Endpoint::Of(options.mirror_upstream, options.mirror_token_file));
  return Mirror::Open(hub,
                      {.endpoint = endpoint,
                       .refresh = std::chrono::seconds(options.mirror_refresh_seconds),
                       .retries = MirrorRetries()},
                      metrics);
}

bool IsLoopback(const std::string& listen) {
  return listen.starts_with("127.") || listen.starts_with("localhost:") || listen.starts_with("[::1]:");
}

Result<std::unique_ptr<serve::Serving>> OpenServing(Hub& hub, const ServeOptions& options, SchedulerMetrics& metrics) {
  // A proxy or a public address brings others to a server that listens for this machine alone.
  const bool reachable = !std::ranges::all_of(options.listen, IsLoopback) || !options.trusted_proxies.empty() ||
                         !options.public_url.empty();
  if (!options.models.empty() && options.api_key.empty() && reachable) {
    return Fail(ErrorCode::kUsage,
                "--api-key: needed to serve models at {}, where others can reach them; without one listen at "
                "127.0.0.1, with no proxy before it",
                fmt::join(options.listen, ", "));
  }
  if (options.aliases.size() > options.models.size()) {
    return Fail(ErrorCode::kUsage, "--alias: {} names for {} models", options.aliases.size(), options.models.size());
  }
  auto serving = std::make_unique<serve::Serving>(
      hub, serve::Serving::Options{.pool = {.memory_bytes = options.models_memory,
                                            .serving = {.threads = options.threads,
                                                        .context = options.context,
                                                        .cache_bytes = options.cache_memory,
                                                        .scheduler = {.metrics = &metrics}},
                                            .now = {}},
                                   .default_model = options.default_model});
  for (size_t i = 0; i < options.models.size(); i++) {
    const std::string& name = i < options.aliases.size() ? options.aliases[i] : options.models[i];
    fmt::print(stderr, "loading {}\n", name);
    TRY(serving->AddLocal(name, TRY(ResolveModel(options.models[i]))));
    // Now, not at the first request: who serves a model wants to know whether it can be.
    const auto found = TRY(serving->Find(Actor(), name));
    TRY(serving->pool().Get(found.place));
    serving->pool().Pin(found.place.key, true);
  }
  return serving;
}

net::Task<net::Response> Handle(api::App& app, const Metrics& metrics, net::Request& request) {
  const bool reads = request.method == net::Method::kGet || request.method == net::Method::kHead;
  if (reads && request.path == "/health") co_return net::Response::Text(net::Status::kOk, "ok\n");
  if (reads && request.path == "/metrics") {
    co_return net::Response::Bytes(net::Status::kOk, Metrics::kMediaType, metrics.Text());
  }
  co_return co_await app.Handle(request);
}

Result<void> Run(const ServeOptions& options) {
  TRY(StartLog({.level = TRY(ParseLogLevel(options.log_level))}));
  auto hub = TRY(OpenHub(options.place));
  const DataLock lock = TRY(DataLock::Take(hub->data(), DataLockKind::kRepositories, "bothy serve"));
  LogRecovery(TRY(hub->repositories().Recover()));
  if (options.models.empty() && TRY(hub->accounts().List(0, 1)).empty()) {
    fmt::print(stderr,
               "Nobody can log in yet. Make the first administrator, in another terminal:\n"
               "  bothy admin user create NAME --admin --data {}\n",
               hub->data().string());
  }
  Metrics metrics;
  const auto mirror = TRY(OpenMirror(*hub, options, metrics));
  SchedulerMetrics scheduler_metrics(metrics);
  const auto serving = TRY(OpenServing(*hub, options, scheduler_metrics));
  api::App app(*hub, {.cors = {.origins = options.cors_origins},
                      .upstream = mirror.get(),
                      .serving = serving.get(),
                      .model_key = options.api_key,
                      .models_open = !options.models.empty() && options.api_key.empty()});
  net::ServerMetrics counted(metrics);
  net::ServerOptions server_options;
  server_options.listen = options.listen;
  server_options.certificate = options.certificate;
  server_options.key = options.key;
  server_options.client_view.public_url = options.public_url;
  for (const std::string& proxy : options.trusted_proxies) {
    server_options.client_view.trusted_proxies.push_back(TRY(net::IpNetwork::Parse(proxy)));
  }
  server_options.access_log = [&](const net::AccessRecord& record) {
    net::LogAccess(record);
    counted.Count(record);
  };
  const Housekeeping housekeeping(*hub, std::chrono::hours(options.gc_hours));
  CatchInterrupts();
  const auto server =
      TRY(net::Server::Start(server_options, [&](net::Request& request) { return Handle(app, metrics, request); }));
  net::AddConnectionGauge(metrics, *server);
  for (const std::string& address : server->addresses()) fmt::print("listening on {}\n", address);
  std::fflush(stdout);
  while (!Interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  fmt::print(stderr, "stopping: what is under way has {} s to finish\n", options.grace_seconds);
  if (mirror != nullptr) mirror->Stop();  // so that nobody waits for another hub
  server->Stop(std::chrono::seconds(options.grace_seconds));
  return {};
}

}  // namespace
}  // namespace bothy::cli

BOTHY_SUBCOMMAND(serve)(CLI::App& root, Runner& runner) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* app = root.add_subcommand(
      "serve", "Serve the hub, and models, to clients of Hugging Face, OpenAI, Anthropic and Ollama");
  AddServeOptions(*app, *options);
  app->footer(
      "Example:\n  bothy serve --listen 0.0.0.0:8080 --data /srv/bothy\n"
      "  HF_ENDPOINT=http://localhost:8080 hf download ada/demo\n"
      "  bothy serve model.Q4_K_M.gguf --alias mine    # then ask http://127.0.0.1:8080/v1/chat/completions");
  runner.Set(app, [options] { return Run(*options); });
}
