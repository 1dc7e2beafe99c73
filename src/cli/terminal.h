// Talking to people: progress on stderr, sizes and times in the units they use, Ctrl-C.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/human.h"

namespace bothy::cli {

bool IsTerminal(int fd);

// A line on stderr that is rewritten in place while something runs; nothing where stderr is no terminal, and nothing
// before half a second has passed, since what is quick needs no progress.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(uint64_t done, uint64_t total);       // in bytes
  void UpdateCount(uint64_t done, uint64_t total);  // of anything else

 private:
  void Show(uint64_t done, uint64_t total, std::string (*format)(uint64_t));

  std::string label_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point start_, last_;
};

// From now on the first Ctrl-C (or SIGTERM) only sets a flag; a second one before it is taken ends the program.
void CatchInterrupts();
bool Interrupted();
const std::atomic<bool>* InterruptFlag();
void ClearInterrupt();

// Reads standard input to its end.
std::string ReadStandardInput();

}  // namespace bothy::cli
