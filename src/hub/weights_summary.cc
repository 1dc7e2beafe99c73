#include "hub/weights_summary.h"

#include <algorithm>
#include <set>

#include "codec/gguf.h"
#include "codec/safetensors.h"
#include "hub/preupload.h"

namespace bothy {
namespace {

constexpr size_t kMaxIndexValues = 500'000;      // names of tensors
constexpr size_t kMaxTemplateBytes = 256 << 10;  // a longer chat template is left out
constexpr std::string_view kIndex = "model.safetensors.index.json";

int64_t CountElements(const Checkpoint& checkpoint) {
  uint64_t total = 0;
  for (const ArrayInfo& array : checkpoint.arrays()) total += ElementCount(array);
  return static_cast<int64_t>(std::min<uint64_t>(total, INT64_MAX));
}

Result<json::object> SummarizeSafetensors(std::shared_ptr<const ByteSource> source) {
  const Safetensors file = TRY(ReadSafetensors(std::move(source)));
  std::map<std::string_view, int64_t> counts;
  for (const ArrayInfo& array : file.checkpoint.arrays()) {
    counts[DTypeName(array.dtype)] += static_cast<int64_t>(ElementCount(array));
  }
  json::object parameters;
  for (const auto& [type, count] : counts) parameters[type] = count;
  return json::object{{"parameters", std::move(parameters)}, {"total", CountElements(file.checkpoint)}};
}

// A token by the number that the metadata has for it.
std::optional<std::string> TokenOf(const GgufMetadata& metadata, std::string_view key) {
  const auto id = metadata.GetInt(key);
  const auto tokens = metadata.GetStrings("tokenizer.ggml.tokens");
  if (!id || !*id || !tokens || *tokens == nullptr) return std::nullopt;
  if (**id < 0 || static_cast<uint64_t>(**id) >= (*tokens)->size()) return std::nullopt;
  return std::string((*tokens)->String(static_cast<size_t>(**id)));
}

Result<json::object> SummarizeGguf(std::shared_ptr<const ByteSource> source) {
  const Gguf file = TRY(ReadGguf(std::move(source)));
  json::object summary{{"total", CountElements(file.checkpoint)}};
  if (const auto architecture = TRY(file.metadata.GetString("general.architecture"))) {
    summary["architecture"] = *architecture;
    const auto length = TRY(file.metadata.GetInt(*architecture + ".context_length"));
    if (length) summary["context_length"] = *length;
  }
  const auto chat_template = TRY(file.metadata.GetString("tokenizer.chat_template"));
  if (chat_template && chat_template->size() <= kMaxTemplateBytes) summary["chat_template"] = *chat_template;
  for (const char* name : {"bos", "eos"}) {
    const auto token = TokenOf(file.metadata, fmt::format("tokenizer.ggml.{}_token_id", name));
    if (token) summary[fmt::format("{}_token", name)] = *token;
  }
  return summary;
}

// "x-00001-of-00003.gguf" is a part of "x"; the name of a whole file is its own.
std::string_view WithoutPart(std::string_view path) {
  constexpr std::string_view kEnding = ".gguf";
  constexpr std::string_view kPart = "-00001-of-00001";
  std::string_view stem = path.substr(0, path.size() - kEnding.size());
  if (stem.size() <= kPart.size()) return path;
  const std::string_view part = stem.substr(stem.size() - kPart.size());
  for (size_t i = 0; i < part.size(); i++) {
    const bool digit = part[i] >= '0' && part[i] <= '9';
    if (kPart[i] >= '0' && kPart[i] <= '9' ? !digit : part[i] != kPart[i]) return path;
  }
  return stem.substr(0, stem.size() - kPart.size());
}

}  // namespace

Result<std::vector<std::string>> WeightsReader::SafetensorsFiles(const git::Oid& commit) const {
  if (const auto text = TRY(files_.ReadSmall(commit, kIndex, kMaxIndexBytes))) {
    const auto index = json::Parse(*text, kIndex, kMaxIndexValues);
    const json::object* object = index ? index->if_object() : nullptr;
    const json::object* weights = object == nullptr ? nullptr : json::FindObject(*object, "weight_map");
    std::set<std::string> shards;
    if (weights != nullptr) {
      for (const auto& [name, file] : *weights) {
        if (const json::string* shard = file.if_string()) shards.emplace(*shard);
      }
    }
    if (!shards.empty() && shards.size() <= kMaxShards) return std::vector<std::string>(shards.begin(), shards.end());
  }
  const std::vector<std::string> whole = {"model.safetensors", "adapter_model.safetensors"};
  const auto found = TRY(files_.FindPaths(commit, whole, /*expand=*/false));
  if (found.empty()) return std::vector<std::string>{};
  return std::vector<std::string>{found.front().path};
}

Result<std::optional<SafetensorsSummary>> WeightsReader::ReadSafetensors(const git::Oid& commit) const {
  const auto paths = TRY(SafetensorsFiles(commit));
  if (paths.empty()) return std::nullopt;
  SafetensorsSummary summary;
  for (const std::string& path : paths) {
    const auto one = TRY(Summarize(commit, path, SummarizeSafetensors));
    if (!one) return std::nullopt;
    const json::object* parameters = json::FindObject(*one, "parameters");
    if (parameters == nullptr) return std::nullopt;
    for (const auto& [type, count] : *parameters) {
      summary.parameters[std::string(type)] += TRY(json::GetInt(*parameters, type)).value_or(0);
    }
    summary.total += TRY(json::GetInt(*one, "total")).value_or(0);
  }
  return summary;
}

Result<std::optional<json::object>> WeightsReader::ReadGguf(const git::Oid& commit,
                                                            const std::vector<std::string>& paths) const {
  const auto first = std::find_if(paths.begin(), paths.end(), [](const std::string& path) {
    return path.ends_with(".gguf") && path.find("mmproj") == path.npos;  // those are projectors beside a model
  });
  if (first == paths.end()) return std::nullopt;
  auto summary = TRY(Summarize(commit, *first, SummarizeGguf));
  if (!summary || WithoutPart(*first) == *first) return summary;
  int64_t total = 0;
  size_t parts = 0;
  for (const std::string& path : paths) {
    if (!path.ends_with(".gguf") || WithoutPart(path) != WithoutPart(*first) || ++parts > kMaxShards) continue;
    const auto part = TRY(Summarize(commit, path, SummarizeGguf));
    if (part) total += TRY(json::GetInt(*part, "total")).value_or(0);
  }
  (*summary)["total"] = total;
  return summary;
}

Result<std::optional<json::object>> WeightsReader::Summarize(const git::Oid& commit, const std::string& path,
                                                             Reader read) const {
  const auto file = files_.FindFile(commit, path);
  if (!file && file.error().code != ErrorCode::kNotFound) return tl::unexpected(file.error());
  if (!file || (file->pointer && !file->xet_hash)) return std::nullopt;
  const std::string content = file->ETag();
  const auto known = TRY(database_.Read([&](Transaction& t) {
    return t.QueryOne<std::string>("SELECT metadata FROM content_metadata WHERE content = $1", content);
  }));
  json::object summary;
  if (known) {
    auto parsed = TRY(json::Parse(*known, "content_metadata"));
    if (parsed.is_object()) summary = std::move(parsed.get_object());
  } else {
    auto source = files_.Open(*file, kMaxRegularFileBytes);
    auto made = source ? read(std::move(*source)) : Result<json::object>(tl::unexpected(source.error()));
    // What cannot be read never can; what could not be read now may be later.
    if (!made && made.error().code != ErrorCode::kCorrupt && made.error().code != ErrorCode::kUnimplemented &&
        made.error().code != ErrorCode::kOutOfRange) {
      return std::nullopt;
    }
    if (made) summary = *std::move(made);
    TRY(database_.Write([&](Transaction& t) {
      return t.Execute(
          "INSERT INTO content_metadata (content, metadata) VALUES ($1, $2)"
          " ON CONFLICT (content) DO NOTHING",
          content, json::Serialize(summary));
    }));
  }
  if (summary.empty()) return std::nullopt;
  return summary;
}

}  // namespace bothy
