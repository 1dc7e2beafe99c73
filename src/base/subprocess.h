// Runs another program with its input and output streamed through bounded buffers: never by a shell, with exactly the
// environment that is given, none of our files open in it, and killed with all of its children when we let go of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bothy {

struct SubprocessOptions {
  std::vector<std::string> arguments;    // the first is the program, found in our PATH
  std::vector<std::string> environment;  // NAME=value; all that the program sees
  std::filesystem::path folder;          // where it runs; empty is where we run
  std::chrono::milliseconds timeout{0};  // from start to end, then it is killed (kResourceExhausted); 0 is no limit
};

// One thread at a time, but for Kill.
class Subprocess {
 public:
  static constexpr size_t kMaxErrorOutput = 64 * 1024;  // of standard error the first so many bytes are kept

  static Result<std::unique_ptr<Subprocess>> Start(const SubprocessOptions& options);
  ~Subprocess();  // kills it where it still runs
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  // The next part of the program's input; empty is its end. What it points to is valid until the next call.
  using Producer = std::function<Result<std::string_view>()>;
  using Consumer = std::function<Result<void>(std::string_view)>;

  // Moves input and output until the program has closed its output, waits for its end and gives its exit status (128 +
  // N where signal N ended it). An error of the producer or the consumer kills the program and is returned. A program
  // that closes its input early just gets no more of it.
  Result<int> Exchange(const Producer& produce, const Consumer& consume);

  // The same, a piece at a time. Write may wait for a program that itself waits to be read from; where both directions
  // are large, use Exchange. Read gives 0 at the end.
  Result<void> Write(std::string_view text);
  void CloseInput();
  Result<size_t> Read(std::span<char> out);
  Result<int> Wait();  // closes the input, passes over what is left of the output

  // Ends the program and its children; from any thread. Whoever waits for it gets kCancelled.
  void Kill();

  const std::string& error_output() const { return error_output_; }

 private:
  Subprocess() = default;
  enum class Ready { kInput, kOutput };
  Result<Ready> WaitFor(bool input, bool output);  // reads standard error meanwhile
  void ReadErrorOutput();
  Result<int> Reap();
  Result<void> Stopped() const;  // the error where it was killed or had no more time

  std::string name_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  bool timed_out_ = false;
  std::string error_output_;

  mutable std::mutex mutex_;  // over what follows
  int pid_ = -1;              // -1 once it was waited for
  bool killed_ = false;
};

// Runs to the end with `input` and gives its output, kResourceExhausted where that is larger than `limit`. An exit
// status other than 0 is kInternal with the program's error output.
Result<std::string> RunToEnd(const SubprocessOptions& options, std::string_view input, size_t limit);

}  // namespace bothy
