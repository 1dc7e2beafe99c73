#include "hub/info.h"

#include <algorithm>
#include <array>

#include "hub/card.h"
#include "hub/card_tags.h"
#include "hub/preupload.h"

namespace bothy {
namespace {

constexpr uint64_t kMaxConfigBytes = 2 << 20;
constexpr size_t kMaxConfigValues = 200'000;  // label maps of classifiers are long
constexpr size_t kMaxSummaryBytes = 256 << 10;

// Nothing where the file is not there or is no JSON object.
Result<std::optional<json::object>> ReadObject(const RepositoryFiles& files, const git::Oid& commit,
                                               std::string_view path) {
  const auto text = TRY(files.ReadSmall(commit, path, kMaxConfigBytes));
  if (!text) return std::nullopt;
  auto parsed = json::Parse(*text, path, kMaxConfigValues);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  return std::move(parsed->get_object());
}

void CopyKeys(const json::object& from, std::span<const std::string_view> keys, json::object& to) {
  for (const std::string_view key : keys) {
    const json::value* value = from.if_contains(key);
    if (value == nullptr || value->is_null() || json::Serialize(*value).size() > kMaxSummaryBytes) continue;
    to[key] = *value;
  }
}

// A special token is a text, or an object that says how it is matched.
std::optional<std::string> TokenText(const json::object& config, std::string_view key) {
  const json::value* value = config.if_contains(key);
  if (value == nullptr) return std::nullopt;
  if (const json::object* object = value->if_object()) value = object->if_contains("content");
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

json::object SummarizeTokenizer(const json::object& config) {
  static constexpr std::array<std::string_view, 2> kCopied = {"chat_template", "use_default_system_prompt"};
  json::object summary;
  for (const std::string_view key : {"bos_token", "eos_token", "pad_token", "unk_token", "mask_token"}) {
    if (const auto token = TokenText(config, key)) summary[key] = *token;
  }
  CopyKeys(config, kCopied, summary);
  return summary;
}

struct Configuration {
  std::optional<json::object> model;      // config.json
  std::optional<json::object> tokenizer;  // tokenizer_config.json
  json::object summary;
};

Result<Configuration> ReadConfiguration(const RepositoryFiles& files, const git::Oid& commit) {
  static constexpr std::array<std::string_view, 4> kModelKeys = {"architectures", "auto_map", "model_type",
                                                                 "quantization_config"};
  static constexpr std::array<std::string_view, 2> kAdapterKeys = {"base_model_name_or_path", "task_type"};
  static constexpr std::array<std::string_view, 1> kPipelineKeys = {"_class_name"};
  Configuration configuration;
  configuration.model = TRY(ReadObject(files, commit, "config.json"));
  if (configuration.model) CopyKeys(*configuration.model, kModelKeys, configuration.summary);
  configuration.tokenizer = TRY(ReadObject(files, commit, "tokenizer_config.json"));
  if (configuration.tokenizer) {
    json::object tokenizer = SummarizeTokenizer(*configuration.tokenizer);
    if (!tokenizer.empty()) configuration.summary["tokenizer_config"] = std::move(tokenizer);
  }
  const auto add = [&](std::string_view path, std::span<const std::string_view> keys,
                       std::string_view name) -> Result<void> {
    const auto object = TRY(ReadObject(files, commit, path));
    if (!object) return {};
    json::object part;
    CopyKeys(*object, keys, part);
    configuration.summary[name] = std::move(part);
    return {};
  };
  TRY(add("adapter_config.json", kAdapterKeys, "peft"));
  TRY(add("model_index.json", kPipelineKeys, "diffusers"));
  return configuration;
}

struct TaskClass {
  std::string_view task;
  std::string_view auto_model;
  std::string_view processor;
};

// transformers' auto classes by task (models/auto/modeling_auto.py of 5.0).
constexpr std::array<TaskClass, 14> kTaskClasses = {
    {{"text-generation", "AutoModelForCausalLM", "AutoTokenizer"},
     {"fill-mask", "AutoModelForMaskedLM", "AutoTokenizer"},
     {"text-classification", "AutoModelForSequenceClassification", "AutoTokenizer"},
     {"token-classification", "AutoModelForTokenClassification", "AutoTokenizer"},
     {"question-answering", "AutoModelForQuestionAnswering", "AutoTokenizer"},
     {"translation", "AutoModelForSeq2SeqLM", "AutoTokenizer"},
     {"summarization", "AutoModelForSeq2SeqLM", "AutoTokenizer"},
     {"feature-extraction", "AutoModel", "AutoTokenizer"},
     {"image-classification", "AutoModelForImageClassification", "AutoImageProcessor"},
     {"object-detection", "AutoModelForObjectDetection", "AutoImageProcessor"},
     {"image-text-to-text", "AutoModelForImageTextToText", "AutoProcessor"},
     {"automatic-speech-recognition", "AutoModelForSpeechSeq2Seq", "AutoProcessor"},
     {"audio-classification", "AutoModelForAudioClassification", "AutoFeatureExtractor"},
     {"zero-shot-image-classification", "AutoModelForZeroShotImageClassification", "AutoProcessor"}}};

json::object TransformersInfo(const RevisionFacts& facts) {
  json::object info;
  if (facts.library_name != "transformers") return info;
  const auto known = std::find_if(kTaskClasses.begin(), kTaskClasses.end(),
                                  [&](const TaskClass& one) { return one.task == facts.pipeline_tag; });
  info["auto_model"] = known == kTaskClasses.end() ? "AutoModel" : known->auto_model;
  if (facts.pipeline_tag) info["pipeline_tag"] = *facts.pipeline_tag;
  if (known != kTaskClasses.end()) info["processor"] = known->processor;
  return info;
}

// Of the cut text the last character may be half: it ends where one begins. Nothing of what is no text at all.
std::string Beginning(std::string_view text) {
  if (LooksBinary(text, /*whole=*/true)) return "";
  size_t end = std::min(text.size(), kMaxFactTextBytes);
  while (end < text.size() && end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) end--;
  return std::string(text.substr(0, end));
}

}  // namespace

Result<std::vector<RepositoryEntry>> ListFiles(const RepositoryFiles& files, const git::Oid& commit, size_t limit) {
  std::vector<RepositoryEntry> listed;
  TreeOptions options{.recursive = true};
  do {
    auto page = TRY(files.ListTree(commit, options));
    for (RepositoryEntry& entry : page.entries) {
      if (!entry.is_folder && listed.size() < limit) listed.push_back(std::move(entry));
    }
    options.cursor = std::move(page.cursor);
  } while (!options.cursor.empty() && listed.size() < limit);
  return listed;
}

Result<RevisionFacts> ReadRevisionFacts(Database& database, const RepositoryFiles& files, RepositoryKind kind,
                                        const git::Oid& commit) {
  std::vector<std::string> paths;
  for (RepositoryEntry& entry : TRY(ListFiles(files, commit, kMaxFactFiles))) paths.push_back(std::move(entry.path));
  const auto readme = TRY(files.ReadSmall(commit, "README.md", kMaxRegularFileBytes));
  Card card = ReadCard(readme ? std::string_view(*readme) : std::string_view());
  RevisionFacts facts;
  std::optional<json::object> config;
  if (kind == RepositoryKind::kModel) {
    Configuration configuration = TRY(ReadConfiguration(files, commit));
    config = std::move(configuration.model);
    facts.config = std::move(configuration.summary);
    if (configuration.tokenizer) facts.mask_token = TokenText(*configuration.tokenizer, "mask_token");
    const WeightsReader weights(database, files);
    facts.safetensors = TRY(weights.ReadSafetensors(commit));
    facts.gguf = TRY(weights.ReadGguf(commit, paths));
  }
  CardFacts derived = DeriveFacts(kind, card, config ? &*config : nullptr, paths);
  facts.tags = std::move(derived.tags);
  facts.pipeline_tag = std::move(derived.pipeline_tag);
  facts.library_name = std::move(derived.library_name);
  facts.transformers_info = TransformersInfo(facts);
  facts.card_text = Beginning(card.text);
  facts.card_data = std::move(card.data);
  facts.card_error = std::move(card.error);
  return facts;
}

}  // namespace bothy
