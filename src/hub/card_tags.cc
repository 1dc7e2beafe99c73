#include "hub/card_tags.h"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace bothy {
namespace {

constexpr size_t kMaxArxivIds = 100;

class TagList {
 public:
  void Add(std::string tag) {
    if (tag.empty() || tag.size() > kMaxTagBytes || tags_.size() == kMaxTags) return;
    if (known_.insert(tag).second) tags_.push_back(std::move(tag));
  }
  void AddAll(const json::object& data, std::string_view key, std::string_view prefix = "") {
    for (const std::string& text : TextsOf(data, key)) Add(fmt::format("{}{}", prefix, text));
  }
  std::vector<std::string> Take() { return std::move(tags_); }

 private:
  std::vector<std::string> tags_;
  std::unordered_set<std::string> known_;
};

bool HasFile(const std::vector<std::string>& files, std::string_view name) {
  return std::find(files.begin(), files.end(), name) != files.end();
}

bool HasEnding(const std::vector<std::string>& files, std::string_view ending) {
  return std::any_of(files.begin(), files.end(), [&](const std::string& file) { return file.ends_with(ending); });
}

struct Mark {
  std::string_view text;
  std::string_view meaning;
};

// Which library made a model, where the card does not say.
constexpr std::array<Mark, 8> kLibraryFiles = {{{"adapter_config.json", "peft"},
                                                {"modules.json", "sentence-transformers"},
                                                {"model_index.json", "diffusers"},
                                                {"config_sentence_transformers.json", "sentence-transformers"},
                                                {"open_clip_config.json", "open_clip"},
                                                {"hyperparams.yaml", "speechbrain"},
                                                {"fasttext.bin", "fasttext"},
                                                {"sklearn_model.joblib", "sklearn"}}};

// By the ending of an architecture's name (transformers' model classes).
constexpr std::array<Mark, 17> kArchitectureTasks = {
    {{"ForCausalLM", "text-generation"},
     {"LMHeadModel", "text-generation"},
     {"ForMaskedLM", "fill-mask"},
     {"ForSequenceClassification", "text-classification"},
     {"ForTokenClassification", "token-classification"},
     {"ForQuestionAnswering", "question-answering"},
     {"ForImageClassification", "image-classification"},
     {"ForObjectDetection", "object-detection"},
     {"ForSemanticSegmentation", "image-segmentation"},
     {"ForDepthEstimation", "depth-estimation"},
     {"ForAudioClassification", "audio-classification"},
     {"ForSpeechSeq2Seq", "automatic-speech-recognition"},
     {"WhisperForConditionalGeneration", "automatic-speech-recognition"},
     {"ForCTC", "automatic-speech-recognition"},
     {"CLIPModel", "zero-shot-image-classification"},
     {"MarianMTModel", "translation"},
     {"BertModel", "feature-extraction"}}};

constexpr std::array<Mark, 12> kWeightEndings = {{{".safetensors", "safetensors"},
                                                  {".gguf", "gguf"},
                                                  {".onnx", "onnx"},
                                                  {"pytorch_model.bin", "pytorch"},
                                                  {"pytorch_model.bin.index.json", "pytorch"},
                                                  {"tf_model.h5", "tf"},
                                                  {"flax_model.msgpack", "jax"},
                                                  {".tflite", "tflite"},
                                                  {".mlmodel", "coreml"},
                                                  {".mlpackage", "coreml"},
                                                  {".keras", "keras"},
                                                  {"openvino_model.xml", "openvino"}}};

constexpr std::array<Mark, 7> kDataEndings = {{{".parquet", "format:parquet"},
                                               {".csv", "format:csv"},
                                               {".jsonl", "format:json"},
                                               {".json", "format:json"},
                                               {".arrow", "format:arrow"},
                                               {".txt", "format:text"},
                                               {".tar", "format:webdataset"}}};

std::optional<std::string> LibraryOf(const Card& card, const json::object* config,
                                     const std::vector<std::string>& files) {
  const auto named = TextsOf(card.data, "library_name");
  if (!named.empty()) return named.front();
  for (const Mark& mark : kLibraryFiles) {
    if (HasFile(files, mark.text)) return std::string(mark.meaning);
  }
  if (config != nullptr && config->contains("model_type")) return "transformers";
  return std::nullopt;
}

std::optional<std::string> TaskOf(const Card& card, const json::object* config,
                                  const std::optional<std::string>& library) {
  const auto named = TextsOf(card.data, "pipeline_tag");
  if (!named.empty()) return named.front();
  if (library == "sentence-transformers") return "sentence-similarity";
  if (config == nullptr) return std::nullopt;
  for (const std::string& architecture : TextsOf(*config, "architectures")) {
    for (const Mark& mark : kArchitectureTasks) {
      if (architecture.ends_with(mark.text)) return std::string(mark.meaning);
    }
  }
  return std::nullopt;
}

// "arxiv:1706.03762" for every paper that the text names by arXiv's address or as "arxiv:".
void AddPapers(std::string_view text, TagList& tags) {
  constexpr std::array<std::string_view, 3> kPlaces = {"arxiv.org/abs/", "arxiv.org/pdf/", "arxiv:"};
  const auto digits = [](std::string_view word) { return std::min(word.find_first_not_of("0123456789"), word.size()); };
  for (const std::string_view place : kPlaces) {
    size_t found = 0;
    for (size_t at = text.find(place); at != text.npos && found < kMaxArxivIds; at = text.find(place, at + 1)) {
      const std::string_view id = text.substr(at + place.size(), 10);
      const size_t number = digits(id);
      if (number != 4 || id.size() < 9 || id[4] != '.') continue;
      const size_t rest = digits(id.substr(5));
      if (rest != 4 && rest != 5) continue;
      tags.Add(fmt::format("arxiv:{}", id.substr(0, 5 + rest)));
      found++;
    }
  }
}

// How a model was made of its base, where the card does not say.
std::string RelationOf(const Card& card, size_t bases, const std::vector<std::string>& files) {
  const auto named = TextsOf(card.data, "base_model_relation");
  if (!named.empty()) return named.front();
  if (bases > 1) return "merge";
  if (HasFile(files, "adapter_config.json")) return "adapter";
  return HasEnding(files, ".gguf") ? "quantized" : "finetune";
}

void AddBaseModels(const Card& card, const std::vector<std::string>& files, TagList& tags) {
  const auto bases = TextsOf(card.data, "base_model");
  for (const std::string& base : bases) tags.Add(fmt::format("base_model:{}", base));
  const std::string how = RelationOf(card, bases.size(), files);
  for (const std::string& base : bases) tags.Add(fmt::format("base_model:{}:{}", how, base));
}

void AddModelTags(const Card& card, const json::object* config, const std::vector<std::string>& files,
                  const CardFacts& facts, TagList& tags) {
  if (facts.library_name) tags.Add(*facts.library_name);
  for (const Mark& mark : kWeightEndings) {
    if (HasEnding(files, mark.text)) tags.Add(std::string(mark.meaning));
  }
  if (config != nullptr) tags.AddAll(*config, "model_type");
  if (facts.pipeline_tag) tags.Add(*facts.pipeline_tag);
  tags.AddAll(card.data, "tags");
  if (config != nullptr && json::FindObject(*config, "auto_map") != nullptr) tags.Add("custom_code");
  tags.AddAll(card.data, "language");
  tags.AddAll(card.data, "datasets", "dataset:");
  AddPapers(card.text, tags);
  AddBaseModels(card, files, tags);
  tags.AddAll(card.data, "license", "license:");
}

void AddDatasetTags(const Card& card, const std::vector<std::string>& files, TagList& tags) {
  for (const std::string_view key : {"task_categories", "task_ids", "annotations_creators", "language_creators",
                                     "multilinguality", "source_datasets", "language", "license", "size_categories"}) {
    tags.AddAll(card.data, key, fmt::format("{}:", key));
  }
  for (const Mark& mark : kDataEndings) {
    if (HasEnding(files, mark.text)) tags.Add(std::string(mark.meaning));
  }
  AddPapers(card.text, tags);
  tags.AddAll(card.data, "tags");
}

}  // namespace

CardFacts DeriveFacts(RepositoryKind kind, const Card& card, const json::object* config,
                      const std::vector<std::string>& files) {
  CardFacts facts;
  TagList tags;
  switch (kind) {
    case RepositoryKind::kModel:
      facts.library_name = LibraryOf(card, config, files);
      facts.pipeline_tag = TaskOf(card, config, facts.library_name);
      AddModelTags(card, config, files, facts, tags);
      break;
    case RepositoryKind::kDataset: AddDatasetTags(card, files, tags); break;
    case RepositoryKind::kSpace: tags.AddAll(card.data, "sdk"); [[fallthrough]];
    case RepositoryKind::kKernel: tags.AddAll(card.data, "tags"); tags.AddAll(card.data, "license", "license:");
  }
  facts.tags = tags.Take();
  return facts;
}

}  // namespace bothy
