#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>
#include <string>

#include "text/regex_syntax.h"

namespace bothy {
namespace {

constexpr uint32_t kHeapLimit = 64 << 10;  // KiB, for the interpreter
constexpr size_t kJitStack = 1 << 20;
constexpr size_t kMaxPattern = 1 << 16;
constexpr size_t kMaxTranslated = 1 << 20;  // \w alone becomes some kilobytes

std::string MessageOf(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

struct Deleter {
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
  void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
  void operator()(pcre2_jit_stack* p) const { pcre2_jit_stack_free(p); }
};

// What a search needs besides the pattern, once a thread: one pair of offsets is enough for any pattern, as no group's
// place is asked for.
struct Workspace {
  TextBudget* budget = nullptr;  // of the search that runs
  size_t place = 0;              // where it was last
  std::unique_ptr<pcre2_match_data, Deleter> data{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, Deleter> context{pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, Deleter> stack{pcre2_jit_stack_create(32 << 10, kJitStack, nullptr)};
  Workspace() {
    if (context == nullptr) return;
    pcre2_set_match_limit(context.get(), UINT32_MAX);
    pcre2_set_callout(context.get(), CountStep, this);
    pcre2_set_heap_limit(context.get(), kHeapLimit);
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  // Called before each item of a pattern. PCRE2's own limit counts for each start of a match anew, and in machine code
  // not at all what a repeated character gives back: \s*\s*\s*\s*[xy] would run for hours.
  static int CountStep(pcre2_callout_block* block, void* data) {
    auto& workspace = *static_cast<Workspace*>(data);
    const size_t place = block->current_position;
    const size_t passed = place > workspace.place ? place - workspace.place : workspace.place - place;
    workspace.place = place;
    return workspace.budget->TakeSteps(1 + passed) ? 0 : PCRE2_ERROR_CALLOUT;
  }
};

}  // namespace

struct Regex::Compiled {
  std::unique_ptr<pcre2_code, Deleter> code;
};

Regex::Regex(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::Compile(std::string_view pattern) {
  if (pattern.size() > kMaxPattern) {
    return Fail(ErrorCode::kResourceExhausted, "a pattern of {} bytes, at most {} are read", pattern.size(),
                kMaxPattern);
  }
  const std::string translated = TRY_CONTEXT(fmt::format("pattern \"{}\"", pattern), ToPcreSyntax(pattern));
  if (translated.size() > kMaxTranslated) {
    return Fail(ErrorCode::kResourceExhausted, "a pattern of {} bytes with too many classes", pattern.size());
  }
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto compiled = std::make_unique<Compiled>();
  compiled->code.reset(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT, &error,
                    &offset, nullptr));
  if (compiled->code == nullptr) {
    return Fail(ErrorCode::kCorrupt, "pattern \"{}\": {} (at \"{}\")", pattern, MessageOf(error),
                std::string_view(translated).substr(0, offset));
  }
  // Where the machine has no JIT the interpreter does the same, slower.
  pcre2_jit_compile(compiled->code.get(), PCRE2_JIT_COMPLETE);
  return Regex(std::move(compiled));
}

Result<std::optional<Regex::Match>> Regex::Find(std::string_view text, size_t from, TextBudget& budget) const {
  thread_local Workspace workspace;
  if (workspace.data == nullptr || workspace.context == nullptr) {
    return Fail(ErrorCode::kResourceExhausted, "no memory for a search");
  }
  workspace.budget = &budget;
  workspace.place = from;
  const auto search = [&](uint32_t options) {
    return pcre2_match(compiled_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       PCRE2_NO_UTF_CHECK | options, workspace.data.get(), workspace.context.get());
  };
  int found = search(0);
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = search(PCRE2_NO_JIT);
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found == PCRE2_ERROR_CALLOUT) return budget.Failure();
  if (found < 0) {
    return Fail(ErrorCode::kResourceExhausted, "offset {}: the search for a pattern was given up: {}", from,
                MessageOf(found));
  }
  const PCRE2_SIZE* place = pcre2_get_ovector_pointer(workspace.data.get());
  // \K can put the start behind the end.
  return Match{std::min(place[0], place[1]), place[1]};
}

}  // namespace bothy
