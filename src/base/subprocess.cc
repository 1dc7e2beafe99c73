#include "base/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace bothy {
namespace {

constexpr size_t kBuffer = 64 * 1024;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void Reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

void Close(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

// Input goes through a socket, whose send can be told not to raise SIGPIPE; a pipe's write cannot.
Result<void> MakeSocket(Descriptor& ours, Descriptor& theirs) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Fail(ErrorCode::kInternal, "socketpair: {}", std::strerror(errno));
  }
  ours.Reset(ends[0]);
  theirs.Reset(ends[1]);
  return {};
}

Result<void> MakePipe(Descriptor& ours, Descriptor& theirs) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Fail(ErrorCode::kInternal, "pipe: {}", std::strerror(errno));
  ours.Reset(ends[0]);
  theirs.Reset(ends[1]);
  return {};
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

}  // namespace

Result<std::unique_ptr<Subprocess>> Subprocess::Start(const SubprocessOptions& options) {
  CHECK(!options.arguments.empty());
  Descriptor input, output, error, child_input, child_output, child_error;
  TRY(MakeSocket(input, child_input));
  TRY(MakePipe(output, child_output));
  TRY(MakePipe(error, child_error));

  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, child_input.get(), 0);
  posix_spawn_file_actions_adddup2(&settings.actions, child_output.get(), 1);
  posix_spawn_file_actions_adddup2(&settings.actions, child_error.get(), 2);
  // Not every library opens with O_CLOEXEC, and a connection that a child holds is one that cannot be closed.
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, 3);
  if (!options.folder.empty()) posix_spawn_file_actions_addchdir_np(&settings.actions, options.folder.c_str());
  // A group of its own, so that a kill reaches its children; signals as a shell would give them.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &all);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> arguments = options.arguments;
  std::vector<std::string> environment = options.environment;
  pid_t pid = -1;
  const int failure = posix_spawnp(&pid, arguments[0].c_str(), &settings.actions, &settings.attributes,
                                   Pointers(arguments).data(), Pointers(environment).data());
  if (failure != 0) {
    const auto code = failure == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInternal;
    return Fail(code, "cannot start {}: {}", options.arguments[0], std::strerror(failure));
  }
  std::unique_ptr<Subprocess> process(new Subprocess);
  process->name_ = options.arguments[0];
  if (options.timeout.count() > 0) process->deadline_ = std::chrono::steady_clock::now() + options.timeout;
  process->pid_ = pid;
  process->input_ = input.Release();
  process->output_ = output.Release();
  process->error_ = error.Release();
  for (const int fd : {process->input_, process->output_, process->error_}) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  }
  return process;
}

Subprocess::~Subprocess() {
  Kill();
  Close(input_);
  Close(output_);
  Close(error_);
  if (pid_ < 0) return;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

void Subprocess::Kill() {
  const std::lock_guard lock(mutex_);
  killed_ = true;
  if (pid_ > 0) kill(-pid_, SIGKILL);
}

Result<void> Subprocess::Stopped() const {
  if (timed_out_) return Fail(ErrorCode::kResourceExhausted, "{} took too long and was stopped", name_);
  const std::lock_guard lock(mutex_);
  if (killed_) return Fail(ErrorCode::kCancelled, "{} was stopped", name_);
  return {};
}

void Subprocess::ReadErrorOutput() {
  std::array<char, 4096> buffer;
  const ssize_t got = read(error_, buffer.data(), buffer.size());
  if (got > 0) {
    error_output_.append(buffer.data(), std::min(static_cast<size_t>(got), kMaxErrorOutput - error_output_.size()));
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    Close(error_);
  }
}

Result<Subprocess::Ready> Subprocess::WaitFor(bool input, bool output) {
  for (;;) {
    int wait = -1;
    if (deadline_ != std::chrono::steady_clock::time_point::max()) {
      const auto left = deadline_ - std::chrono::steady_clock::now();
      if (left.count() <= 0) {
        Kill();
        timed_out_ = true;
      }
      wait = static_cast<int>(std::clamp<int64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(left).count() + 1, 0, 60 * 60 * 1000));
    }
    TRY(Stopped());
    std::array<pollfd, 3> waiting = {pollfd{input ? input_ : -1, POLLOUT, 0}, pollfd{output ? output_ : -1, POLLIN, 0},
                                     pollfd{error_, POLLIN, 0}};
    if (poll(waiting.data(), waiting.size(), wait) < 0 && errno != EINTR) {
      return Fail(ErrorCode::kInternal, "poll: {}", std::strerror(errno));
    }
    if (waiting[2].revents != 0) ReadErrorOutput();
    if (waiting[1].revents != 0) return Ready::kOutput;
    if (waiting[0].revents != 0) return Ready::kInput;
  }
}

Result<void> Subprocess::Write(std::string_view text) {
  while (!text.empty()) {
    if (input_ < 0) return Fail(ErrorCode::kFailedPrecondition, "{} has closed its input", name_);
    const ssize_t sent = send(input_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      text.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      TRY(WaitFor(true, false));
    } else if (errno != EINTR) {
      CloseInput();
    }
  }
  return {};
}

void Subprocess::CloseInput() { Close(input_); }

Result<size_t> Subprocess::Read(std::span<char> out) {
  while (output_ >= 0 && !out.empty()) {
    const ssize_t got = read(output_, out.data(), out.size());
    if (got > 0) return static_cast<size_t>(got);
    if (got == 0) {
      Close(output_);
      break;
    }
    if (errno == EAGAIN) {
      TRY(WaitFor(false, true));
    } else if (errno != EINTR) {
      return Fail(ErrorCode::kInternal, "reading from {}: {}", name_, std::strerror(errno));
    }
  }
  TRY(Stopped());
  return 0;
}

Result<int> Subprocess::Reap() {
  // It may run on after it has closed its output: its error output ends with it (or with a child that outlives it).
  while (error_ >= 0) {
    bool ended = false;
    {
      siginfo_t info{};
      ended = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid != 0;
    }
    if (ended) {
      for (int left = 16; error_ >= 0 && left > 0; left--) ReadErrorOutput();
      break;
    }
    pollfd waiting{error_, POLLIN, 0};
    if (poll(&waiting, 1, 20) > 0) ReadErrorOutput();
    if (std::chrono::steady_clock::now() > deadline_) {
      Kill();
      timed_out_ = true;
    }
  }
  Close(error_);
  int status = 0;
  for (;;) {
    // The group must not be killed once its number may belong to another, so the lock is held while it is given up.
    siginfo_t info{};
    const bool limited = deadline_ != std::chrono::steady_clock::time_point::max();
    const int waited = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | (limited ? WNOHANG : 0));
    if (waited < 0 && errno == EINTR) continue;
    if (waited == 0 && info.si_pid == 0) {
      if (std::chrono::steady_clock::now() > deadline_) {
        Kill();
        timed_out_ = true;
      }
      poll(nullptr, 0, 5);
      continue;
    }
    const std::lock_guard lock(mutex_);
    waitpid(pid_, &status, 0);
    pid_ = -1;
    break;
  }
  TRY(Stopped());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<int> Subprocess::Wait() {
  CloseInput();
  std::array<char, 4096> buffer;
  while (TRY(Read(buffer)) > 0) {
  }
  return Reap();
}

Result<int> Subprocess::Exchange(const Producer& produce, const Consumer& consume) {
  std::vector<char> buffer(kBuffer);
  std::string_view pending;
  while (output_ >= 0) {
    if (pending.empty() && input_ >= 0) {
      auto next = produce();
      if (!next) {
        Kill();
        return tl::unexpected(std::move(next).error());
      }
      pending = *next;
      if (pending.empty()) CloseInput();
    }
    const Ready ready = TRY(WaitFor(input_ >= 0, true));
    if (ready == Ready::kInput) {
      const ssize_t sent = send(input_, pending.data(), pending.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        pending.remove_prefix(static_cast<size_t>(sent));
      } else if (errno != EAGAIN && errno != EINTR) {
        CloseInput();
        pending = {};
      }
      continue;
    }
    const ssize_t got = read(output_, buffer.data(), buffer.size());
    if (got > 0) {
      auto consumed = consume({buffer.data(), static_cast<size_t>(got)});
      if (!consumed) {
        Kill();
        return tl::unexpected(std::move(consumed).error());
      }
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      Close(output_);
    }
  }
  CloseInput();
  return Reap();
}

Result<std::string> RunToEnd(const SubprocessOptions& options, std::string_view input, size_t limit) {
  const auto process = TRY(Subprocess::Start(options));
  std::string output;
  const auto produce = [&]() -> Result<std::string_view> { return std::exchange(input, {}); };
  const auto consume = [&](std::string_view text) -> Result<void> {
    if (text.size() > limit - output.size()) {
      return Fail(ErrorCode::kResourceExhausted, "{} has written more than {} bytes", options.arguments[0], limit);
    }
    output += text;
    return {};
  };
  const int status = TRY(process->Exchange(produce, consume));
  if (status != 0) {
    std::string_view said = process->error_output();
    while (said.ends_with('\n')) said.remove_suffix(1);
    return Fail(ErrorCode::kInternal, "{} ended with status {}: {}", options.arguments[0], status, said);
  }
  return output;
}

}  // namespace bothy
