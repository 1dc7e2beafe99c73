#include "cli/terminal.h"

#include <fmt/core.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace bothy::cli {
namespace {

std::atomic<bool> g_interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void OnSignal(int signal) {
  if (g_interrupted.exchange(true)) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace

bool IsTerminal(int fd) { return isatty(fd) == 1; }

Progress::Progress(std::string label)
    : label_(std::move(label)),
      terminal_(IsTerminal(STDERR_FILENO)),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::Update(uint64_t done, uint64_t total) { Show(done, total, HumanBytes); }

void Progress::UpdateCount(uint64_t done, uint64_t total) { Show(done, total, HumanCount); }

void Progress::Show(uint64_t done, uint64_t total, std::string (*format)(uint64_t)) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - start_ < std::chrono::milliseconds(500) || now - last_ < std::chrono::milliseconds(100))
    return;
  last_ = now;
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double left = done > 0 ? seconds * static_cast<double>(total - done) / static_cast<double>(done) : 0;
  fmt::print(stderr, "\r\033[K{} {} of {} ({} %), {} left", label_, format(done), format(total),
             total > 0 ? done * 100 / total : 100, HumanSeconds(left));
  std::fflush(stderr);
}

void CatchInterrupts() {
  struct sigaction action{};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}
bool Interrupted() { return g_interrupted.load(); }
const std::atomic<bool>* InterruptFlag() { return &g_interrupted; }
void ClearInterrupt() { g_interrupted.store(false); }

std::string ReadStandardInput() {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n <= 0) return text;
    text.append(buffer, static_cast<size_t>(n));
  }
}

}  // namespace bothy::cli
