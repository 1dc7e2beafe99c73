#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "api/git/push_request.h"
#include "input.h"

using namespace bothy;

namespace {

// Up to the request's end or to an error, in pieces of `piece` bytes.
struct Outcome {
  size_t used = 0;
  size_t updates = 0;
  bool done = false;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

Outcome Read(std::string_view text, size_t piece) {
  api::PushRequestReader reader;
  Outcome outcome;
  while (!reader.done() && !outcome.failed && outcome.used < text.size()) {
    const auto used = reader.Add(text.substr(outcome.used, piece));
    outcome.failed = !used;
    outcome.used += used.value_or(0);
  }
  outcome.done = reader.done();
  outcome.updates = reader.Take().updates.size();
  if (outcome.failed) outcome.used = 0;  // where in a piece the error was is not told
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = InputText(data, size);
  if (Read(text, SIZE_MAX) != Read(text, 7)) std::abort();
  return 0;
}
