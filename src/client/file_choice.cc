#include "client/file_choice.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "codec/shards.h"

namespace bothy {
namespace {

constexpr size_t kMaxPathLength = 1024;
constexpr size_t kShownNames = 20;
constexpr std::string_view kGgufEnding = ".gguf";

// A GGUF model: one file, or the parts that are there of a split one.
struct GgufModel {
  std::string first;  // of a split one part 1's name
  std::map<uint32_t, std::string> parts;
  uint32_t count = 1;
};

std::map<std::string, GgufModel> GgufModels(const std::vector<std::string>& files) {
  std::map<std::string, GgufModel> models;  // by the name without part and ending
  for (const std::string& file : files) {
    if (!Lower(file).ends_with(kGgufEnding)) continue;
    // A projector for images lies beside its model and is named after its own type.
    if (Lower(file.substr(file.rfind('/') + 1)).starts_with("mmproj")) continue;
    if (const auto split = ParseSplitName(file)) {
      GgufModel& model = models[fmt::format("{}-of-{}", split->prefix, split->count)];
      model.first = split->Part(1);
      model.parts[split->part] = file;
      model.count = split->count;
    } else {
      models[file] = {file, {{1, file}}, 1};
    }
  }
  return models;
}

// Whether a file's name has the quantization as a word of its own: "q4_k" is in "model-q4_k.gguf", not in
// "model-q4_k_m.gguf" and not in "model-iq4_k.gguf".
bool NamesQuantization(std::string_view file, std::string_view wanted) {
  const std::string name = Lower(file.substr(0, file.size() - kGgufEnding.size())), tag = Lower(wanted);
  for (size_t at = name.find(tag); at != std::string::npos; at = name.find(tag, at + 1)) {
    const size_t end = at + tag.size();
    const bool begins = at == 0 || std::string_view("-._/ ").find(name[at - 1]) != std::string_view::npos;
    const bool ends = end == name.size() || std::string_view("-./ ").find(name[end]) != std::string_view::npos;
    if (begins && ends) return true;
  }
  return false;
}

Result<std::vector<std::string>> PartsOf(std::string_view where, const GgufModel& model) {
  std::vector<std::string> files;
  for (uint32_t part = 1; part <= model.count; part++) {
    const auto found = model.parts.find(part);
    if (found == model.parts.end()) {
      return Fail(ErrorCode::kNotFound, "{}/{}: {} of its {} parts are there, part {} is missing", where, model.first,
                  model.parts.size(), model.count, part);
    }
    files.push_back(found->second);
  }
  return files;
}

bool Fits(const std::string& path, std::string pattern) {
  if (pattern.ends_with('/')) pattern += '*';
  return fnmatch(pattern.c_str(), path.c_str(), FNM_NOESCAPE) == 0;
}

}  // namespace

bool IsInnerPath(std::string_view path) {
  if (path.empty() || path.size() > kMaxPathLength) return false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return std::ranges::none_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\\'; });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::string Listed(const std::vector<std::string>& names) {
  const std::vector<std::string> shown(names.begin(),
                                       names.begin() + static_cast<ptrdiff_t>(std::min(names.size(), kShownNames)));
  const size_t more = names.size() - shown.size();
  return fmt::format("{}{}", fmt::join(shown, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

Result<std::vector<std::string>> ChooseFiles(std::string_view where, const std::vector<std::string>& files,
                                             std::string_view wanted) {
  if (std::ranges::find(files, wanted) != files.end()) return std::vector{std::string(wanted)};
  std::vector<std::string> found;
  for (const std::string& file : files) {
    if (std::string_view(file).substr(file.rfind('/') + 1) == wanted) found.push_back(file);
  }
  if (found.size() == 1) return found;
  const auto models = GgufModels(files);
  std::vector<const GgufModel*> chosen;
  if (found.empty()) {
    for (const auto& [name, model] : models) {
      if (!NamesQuantization(model.first, wanted)) continue;
      found.push_back(model.first);
      chosen.push_back(&model);
    }
    if (chosen.size() == 1) return PartsOf(where, *chosen.front());
  }
  if (!found.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "{}: several files are \"{}\", name one: {}", where, wanted,
                Listed(found));
  }
  std::vector<std::string> there;
  for (const auto& [name, model] : models) there.push_back(model.first);
  return Fail(ErrorCode::kNotFound, "{}: no file or quantization \"{}\"; there are: {}", where, wanted,
              there.empty() ? (files.empty() ? "no files" : Listed(files)) : Listed(there));
}

bool FitsPatterns(const std::string& path, const std::vector<std::string>& include,
                  const std::vector<std::string>& exclude) {
  const auto fits = [&](const std::string& pattern) { return Fits(path, pattern); };
  return (include.empty() || std::ranges::any_of(include, fits)) && std::ranges::none_of(exclude, fits);
}

}  // namespace bothy
