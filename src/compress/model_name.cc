#include "compress/model_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

namespace bothy {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLetter(char c) { return IsLower(c) || IsUpper(c); }
char Lower(char c) { return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
char Upper(char c) { return IsLower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = Lower(c);
  return out;
}

// Takes digits off the front; how many there were.
size_t TakeDigits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) count++;
  text.remove_prefix(count);
  return count;
}

bool Take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "2", "v0.3", "iter2.1"; `text` in lower case, as below.
bool IsVersion(std::string_view text) {
  if (!Take(text, "v")) Take(text, "iter");
  if (TakeDigits(text) == 0) return false;
  while (Take(text, ".")) {
    if (TakeDigits(text) == 0) return false;
  }
  return text.empty();
}

// "q4_0", "iq4_xs", "bf16", "fp32": how a file stores weights, which is not part of the model's name.
bool IsStorageType(std::string_view text) {
  if (text == "f16" || text == "f32" || text == "fp16" || text == "fp32" || text == "bf16" || text == "bf32" ||
      text == "bfp16" || text == "bfp32") {
    return true;
  }
  Take(text, "i");
  if (!Take(text, "q") || text.empty() || !IsDigit(text[0])) return false;
  text.remove_prefix(1);
  while (text.size() >= 2 && text[0] == '_' && (IsLetter(text[1]) || IsDigit(text[1]) || text[1] == '_')) {
    text.remove_prefix(2);
  }
  return text.empty();
}

bool IsSizeWord(std::string_view text) {
  return text == "small" || text == "mini" || text == "medium" || text == "large" || text == "xl" || text == "xxl";
}

// "7b", "1.1b", "8x7b", "a3b" (what of a mixture is active), "7b1" (7.1 billion).
bool IsSize(std::string_view text) {
  if (IsSizeWord(text)) return true;
  if (!Take(text, "a")) {
    std::string_view rest = text;
    if (TakeDigits(rest) > 0 && Take(rest, "x")) text = rest;
  }
  if (TakeDigits(text) == 0) return false;
  if (!text.empty() && (text[0] == '.' || text[0] == '_')) {
    text.remove_prefix(1);
    if (TakeDigits(text) == 0) return false;
  }
  if (text.empty() || std::string_view("kmbt").find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return text.empty() || (text.size() == 1 && IsDigit(text[0]));
}

// "7b1" to "7.1B", "1_1b" to "1.1B".
std::string NormalSize(std::string part) {
  std::ranges::replace(part, '_', '.');
  if (part.size() > 2 && IsDigit(part.back())) {
    const char suffix = part[part.size() - 2];
    part = fmt::format("{}.{}{}", part.substr(0, part.size() - 2), part.back(), suffix);
  }
  if (part.size() > 1 && IsDigit(part[part.size() - 2])) part.back() = Upper(part.back());
  return part;
}

// Of "1.5B" 1.5e9; nothing of what is no plain number ("8x7B").
std::optional<double> SizeValue(std::string_view size) {
  const size_t power = std::string_view(" KMBT").find(size.back());
  if (power == std::string_view::npos) return std::nullopt;
  double number = 0;
  const char* end = size.data() + size.size() - 1;
  const auto [rest, error] = std::from_chars(size.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number * std::pow(1000.0, static_cast<double>(power));
}

struct Part {
  std::string text;
  bool basename = false, size = false, finetune = false, version = false, storage = false;
  int Kinds() const { return basename + size + finetune + version + storage; }
};

void Classify(Part& part, bool first, uint64_t parameters) {
  const std::string lower = Lower(part.text);
  if (IsVersion(lower)) {
    part.version = true;
  } else if (IsStorageType(lower)) {
    part.storage = true;
    for (char& c : part.text) c = Upper(c);
  } else if (!first && IsSize(lower)) {
    part.text = NormalSize(part.text);
    const std::optional<double> value = parameters != 0 ? SizeValue(part.text) : std::nullopt;
    if (value && std::fabs(*value - static_cast<double>(parameters)) > static_cast<double>(7 * parameters / 8)) {
      part.finetune = true;  // likely the length of the context
      part.text.back() = Lower(part.text.back());
    } else {
      part.size = true;
    }
  } else if (!first && (lower == "chat" || lower == "instruct" || lower == "vision" || lower == "lora")) {
    part.finetune = true;
  }
}

std::vector<Part> Classify(std::string_view name, uint64_t parameters) {
  std::vector<Part> parts;
  while (!name.empty()) {
    const size_t end = std::min(name.find('-'), name.size());
    if (end > 0) {
      parts.push_back({.text = std::string(name.substr(0, end))});
      Classify(parts.back(), parts.size() == 1, parameters);
    }
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  // Words say nothing beside a number.
  if (std::ranges::any_of(parts, [](const Part& p) { return p.size && std::ranges::any_of(p.text, IsDigit); })) {
    for (Part& part : parts) part.size = part.size && !std::ranges::all_of(part.text, IsLetter);
  }
  // The name proper is what stands in front and is nothing else, with the versions in it but not those after it.
  bool front = true;
  for (Part& part : parts) {
    front = front && ((part.Kinds() == 0 && !IsDigit(part.text[0])) || part.version);
    if (front) {
      part.basename = true;
    } else if (part.Kinds() == 0) {
      part.finetune = true;
    }
  }
  for (auto part = parts.rbegin(); part != parts.rend() && part->basename && part->version; ++part) {
    part->basename = false;
  }
  return parts;
}

template <class Choose>
std::string Join(const std::vector<Part>& parts, Choose choose) {
  std::string joined;
  for (const Part& part : parts) {
    if (!choose(part)) continue;
    if (!joined.empty()) joined += '-';
    joined += part.text;
  }
  return joined;
}

// "tiny-llama v0.3" to "Tiny Llama v0.3": a capital for words that have none, but for versions and numbers.
std::string Title(std::string_view name) {
  std::string title;
  while (!name.empty()) {
    const size_t end = std::min(name.find_first_of("- \t"), name.size());
    std::string word(name.substr(0, end));
    name.remove_prefix(std::min(end + 1, name.size()));
    if (word.empty()) continue;
    const bool plain = std::ranges::any_of(word, IsLower) && std::ranges::none_of(word, IsUpper);
    if (plain && !IsDigit(word[0]) && !(word[0] == 'v' && IsVersion(word))) {
      for (size_t i = 0; i < word.size(); i++) {
        if (i == 0 || !IsLetter(word[i - 1])) word[i] = Upper(word[i]);
      }
    }
    if (!title.empty()) title += ' ';
    title += word;
  }
  return title;
}

}  // namespace

ModelName ParseModelName(std::string_view id, uint64_t parameters) {
  ModelName out;
  if (id.find(' ') != std::string_view::npos) {  // a sentence, no identifier
    out.title = Title(id);
    return out;
  }
  if (const size_t slash = id.find('/'); slash != std::string_view::npos) {
    if (slash > 0 && id[0] != '.') out.organization = Title(id.substr(0, slash));
    id.remove_prefix(slash + 1);
  }
  out.title = Title(id);
  const std::vector<Part> parts = Classify(id, parameters);
  out.basename = Join(parts, [](const Part& part) { return part.basename; });
  out.finetune = Join(parts, [](const Part& part) { return part.finetune; });
  out.version = Join(parts, [](const Part& part) { return part.version && !part.basename; });
  std::vector<std::string_view> seen;
  out.size_label = Join(parts, [&](const Part& part) {
    if (!part.size || std::ranges::find(seen, part.text) != seen.end()) return false;
    seen.push_back(part.text);
    return true;
  });
  // A name of one part alone may be anything.
  if (out.finetune.empty() && out.version.empty() && out.size_label.empty()) out.basename.clear();
  return out;
}

std::string SizeLabel(uint64_t parameters, uint64_t experts) {
  const auto count = static_cast<double>(parameters);
  double scaled = count * 1e-3;
  char suffix = 'K';
  if (count > 1e12) {
    scaled = count * 1e-12;
    suffix = 'T';
  } else if (count > 1e9) {
    scaled = count * 1e-9;
    suffix = 'B';
  } else if (count > 1e6) {
    scaled = count * 1e-6;
    suffix = 'M';
  }
  // Two digits at least; what rounds to 0 has none before the point.
  const double whole = std::nearbyint(scaled);
  const int decimals = whole >= 10 ? 0 : whole >= 1 ? 1 : 2;
  const std::string size = fmt::format("{:.{}f}{}", scaled, decimals, suffix);
  return experts > 0 ? fmt::format("{}x{}", experts, size) : size;
}

}  // namespace bothy
