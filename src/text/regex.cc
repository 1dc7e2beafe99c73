#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.h"

#include <pcre2.h>

#include <array>
#include <string>

#include "text/utf8.h"

namespace bothy {
namespace {

// Work that one search may do before it is given up: PCRE2's own default, some tens of milliseconds.
constexpr uint32_t kMatchLimit = 10'000'000;
constexpr uint32_t kHeapLimit = 64 << 10;  // KiB, for the interpreter
constexpr size_t kJitStack = 1 << 20;
constexpr size_t kMaxPattern = 1 << 16;

// Classes that mean something else to PCRE2, spelled out (without the brackets).
constexpr std::string_view kSpaces =
    R"(\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
constexpr std::string_view kWords =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189})";
constexpr std::string_view kNotSpacesInClass =
    R"(\x{0}-\x{8}\x{E}-\x{1F}!-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF})";

// Rewrites what the dialects spell alike and mean differently.
Result<std::string> Translate(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  size_t class_begin = 0;  // of `pattern`: a ] right there is an ordinary character
  for (size_t i = 0; i < pattern.size(); i++) {
    const char c = pattern[i];
    if (c != '\\') {
      if (c == '[' && !in_class) {
        in_class = true;
        class_begin = i + 1;
        if (class_begin < pattern.size() && pattern[class_begin] == '^') class_begin++;
      } else if (c == '[' && in_class) {
        if (i + 1 < pattern.size() && pattern[i + 1] == ':') {  // [:alpha:]
          const size_t end = pattern.find(":]", i + 2);
          if (end == std::string_view::npos) return Fail(ErrorCode::kCorrupt, "offset {}: [: without :]", i);
          out.append(pattern.substr(i, end + 2 - i));
          i = end + 1;
          continue;
        }
        out.push_back('\\');
      } else if (c == '&' && in_class && pattern.substr(i, 2) == "&&") {
        return Fail(ErrorCode::kUnimplemented, "offset {}: intersections of classes are not supported", i);
      } else if (c == ']' && in_class && i != class_begin) {
        in_class = false;
      }
      out.push_back(c);
      continue;
    }
    if (++i >= pattern.size()) return Fail(ErrorCode::kCorrupt, "offset {}: \\ at the end", i - 1);
    const auto put = [&](std::string_view members, bool negated) {
      if (!in_class) out.append(negated ? "[^" : "[");
      out.append(members);
      if (!in_class) out.push_back(']');
    };
    switch (pattern[i]) {
      case 's': put(kSpaces, false); break;
      case 'S': in_class ? put(kNotSpacesInClass, false) : put(kSpaces, true); break;
      case 'w': put(kWords, false); break;
      case 'W':
        if (in_class) return Fail(ErrorCode::kUnimplemented, "offset {}: \\W in a class is not supported", i - 1);
        put(kWords, true);
        break;
      case 'h': put("0-9a-fA-F", false); break;
      case 'u': {  // \uHHHH
        const std::string_view digits = pattern.substr(i + 1, 4);
        if (digits.size() < 4 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
          return Fail(ErrorCode::kCorrupt, "offset {}: \\u without four hexadecimal digits", i - 1);
        }
        out.append("\\x{").append(digits).append("}");
        i += 4;
        break;
      }
      default: out.push_back('\\'); out.push_back(pattern[i]);
    }
  }
  return out;
}

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
  std::unique_ptr<pcre2_match_data, Deleter> data{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, Deleter> context{pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, Deleter> stack{pcre2_jit_stack_create(32 << 10, kJitStack, nullptr)};
  Workspace() {
    if (context == nullptr) return;
    pcre2_set_match_limit(context.get(), kMatchLimit);
    pcre2_set_heap_limit(context.get(), kHeapLimit);
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
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
  const std::string translated = TRY_CONTEXT("pattern", Translate(pattern));
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto compiled = std::make_unique<Compiled>();
  compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                                     nullptr));
  if (compiled->code == nullptr) {
    return Fail(ErrorCode::kCorrupt, "pattern \"{}\": {} (at \"{}\")", pattern, MessageOf(error),
                std::string_view(translated).substr(0, offset));
  }
  // Where the machine has no JIT the interpreter does the same, slower.
  pcre2_jit_compile(compiled->code.get(), PCRE2_JIT_COMPLETE);
  return Regex(std::move(compiled));
}

Result<std::optional<Regex::Match>> Regex::Find(std::string_view text, size_t from) const {
  thread_local Workspace workspace;
  if (workspace.data == nullptr || workspace.context == nullptr) {
    return Fail(ErrorCode::kResourceExhausted, "no memory for a search");
  }
  const auto search = [&](uint32_t options) {
    return pcre2_match(compiled_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       PCRE2_NO_UTF_CHECK | options, workspace.data.get(), workspace.context.get());
  };
  int found = search(0);
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = search(PCRE2_NO_JIT);
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0) {
    return Fail(ErrorCode::kResourceExhausted, "offset {}: the search for a pattern was given up: {}", from,
                MessageOf(found));
  }
  const PCRE2_SIZE* place = pcre2_get_ovector_pointer(workspace.data.get());
  // \K can put the start behind the end.
  return Match{std::min(place[0], place[1]), place[1]};
}

}  // namespace bothy
