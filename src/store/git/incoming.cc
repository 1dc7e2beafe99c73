#include "store/git/incoming.h"

#include <array>
#include <cstdlib>

#include "store/git/git_lines.h"
#include "store/git/git_process.h"

namespace bothy::git {
namespace {

constexpr std::array<std::string_view, 3> kKinds = {"heads", "tags", "convert"};
// A history of 100 GB at 30 MB/s.
constexpr std::chrono::hours kFetchTimeout{1};

// The program sees nothing of our environment but these: which proxies lead out, and whose certificates are trusted.
constexpr std::array kPassedOn = {"http_proxy", "https_proxy", "HTTPS_PROXY",   "all_proxy",   "ALL_PROXY",
                                  "no_proxy",   "NO_PROXY",    "SSL_CERT_FILE", "SSL_CERT_DIR"};

GitOptions OptionsFor(const FetchSource& source) {
  GitOptions options{// A redirect could lead to another host, which would get the authorization.
                     .configuration = {"http.followRedirects=false", "http.lowSpeedLimit=1", "http.lowSpeedTime=60",
                                       "fetch.unpackLimit=1", "gc.auto=0", "maintenance.auto=false",
                                       "credential.helper=", "core.askPass="},
                     .environment = {"GIT_ALLOW_PROTOCOL=http:https"},
                     .timeout = kFetchTimeout};
  for (const char* name : kPassedOn) {
    if (const char* value = std::getenv(name)) options.environment.push_back(fmt::format("{}={}", name, value));
  }
  if (!source.authorization.empty()) {
    // Everybody on the machine can read a program's arguments, and nobody else its environment.
    options.environment.emplace_back("GIT_CONFIG_COUNT=1");
    options.environment.emplace_back("GIT_CONFIG_KEY_0=http.extraHeader");
    options.environment.push_back("GIT_CONFIG_VALUE_0=Authorization: " + source.authorization);
  }
  return options;
}

ErrorCode CodeOf(std::string_view said) {
  const auto says = [&](std::string_view text) { return said.find(text) != std::string_view::npos; };
  if (says("error: 401") || says("error: 403") || says("Authentication failed") || says("could not read Username")) {
    return ErrorCode::kPermissionDenied;
  }
  // Of libcurl, and of a connection that ends in the middle of an answer.
  const bool broken = says("unable to access") || says("RPC failed") || says("early EOF") || says("hung up");
  return broken ? ErrorCode::kUnavailable : ErrorCode::kCorrupt;
}

Result<std::vector<NamedRef>> ListBelow(const GitRepository& repository, const std::string& prefix) {
  std::vector<NamedRef> refs;
  LineCutter lines([&](std::string_view line) -> Result<void> {
    const auto oid = Oid::FromHex(line.substr(0, Oid::kHexDigits));
    if (!oid || line.size() < Oid::kHexDigits + 2) {
      return Fail(ErrorCode::kInternal, "git has written an unexpected line");
    }
    refs.push_back({std::string(line.substr(Oid::kHexDigits + 1)), *oid});
    return {};
  });
  std::vector<std::string> arguments = {"for-each-ref", "--format=%(objectname) %(refname)"};
  for (const std::string_view kind : kKinds) arguments.push_back(fmt::format("{}{}/", prefix, kind));
  TRY(RunGit(repository, std::move(arguments), {}, [&](std::string_view text) { return lines.Add(text); }));
  return refs;
}

}  // namespace

Result<std::vector<NamedRef>> FetchIncoming(const GitRepository& repository, const FetchSource& source,
                                            const std::stop_token& stop) {
  std::vector<std::string> arguments = {"fetch",   "--quiet", "--no-write-fetch-head", "--no-tags",
                                        "--prune", "--force", "--end-of-options",      source.address};
  for (const std::string_view kind : kKinds) {
    arguments.push_back(fmt::format("+refs/{0}/*:{1}{0}/*", kind, kIncomingRefs));
  }
  const auto process = TRY(StartGit(repository, std::move(arguments), OptionsFor(source)));
  const std::stop_callback kill(stop, [&] { process->Kill(); });
  const int status = TRY(process->Exchange([]() -> Result<std::string_view> { return std::string_view(); },
                                           [](std::string_view) -> Result<void> { return {}; }));
  if (status != 0) {
    std::string said = process->error_output();
    while (said.ends_with('\n')) said.pop_back();
    return Fail(CodeOf(said), "git fetch from {} ended with status {}: {}", source.address, status, said);
  }
  auto refs = TRY(ListBelow(repository, std::string(kIncomingRefs)));
  for (NamedRef& ref : refs) ref.name.replace(0, kIncomingRefs.size(), "refs/");
  return refs;
}

Result<std::vector<NamedRef>> ListFollowingRefs(const GitRepository& repository) {
  return ListBelow(repository, "refs/");
}

Result<void> RemoveIncoming(const GitRepository& repository) {
  std::string commands;
  for (const NamedRef& ref : TRY(ListBelow(repository, std::string(kIncomingRefs)))) {
    commands += fmt::format("delete {}\n", ref.name);
  }
  const auto process = TRY(StartGit(repository, {"update-ref", "--stdin"}));
  std::string_view rest = commands;
  const int status = TRY(process->Exchange([&]() -> Result<std::string_view> { return std::exchange(rest, {}); },
                                           [](std::string_view) -> Result<void> { return {}; }));
  if (status == 0) return {};
  return Fail(ErrorCode::kInternal, "{}: refs of a fetch were not removed: {}", repository.name(),
              process->error_output());
}

}  // namespace bothy::git
