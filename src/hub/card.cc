#include "hub/card.h"

#include <algorithm>
#include <array>
#include <span>

#include "codec/yaml.h"

namespace bothy {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kFence = "---";
constexpr size_t kMaxTexts = 1000;  // of one key

// The identifiers of huggingface.co/docs/hub/repositories-licenses, 2026.
constexpr std::array<std::string_view, 79> kLicenses = {"apache-2.0",
                                                        "mit",
                                                        "openrail",
                                                        "bigscience-openrail-m",
                                                        "creativeml-openrail-m",
                                                        "bigscience-bloom-rail-1.0",
                                                        "bigcode-openrail-m",
                                                        "afl-3.0",
                                                        "artistic-2.0",
                                                        "bsl-1.0",
                                                        "bsd",
                                                        "bsd-2-clause",
                                                        "bsd-3-clause",
                                                        "bsd-3-clause-clear",
                                                        "c-uda",
                                                        "cc",
                                                        "cc0-1.0",
                                                        "cc-by-2.0",
                                                        "cc-by-2.5",
                                                        "cc-by-3.0",
                                                        "cc-by-4.0",
                                                        "cc-by-sa-3.0",
                                                        "cc-by-sa-4.0",
                                                        "cc-by-nc-2.0",
                                                        "cc-by-nc-3.0",
                                                        "cc-by-nc-4.0",
                                                        "cc-by-nd-4.0",
                                                        "cc-by-nc-nd-3.0",
                                                        "cc-by-nc-nd-4.0",
                                                        "cc-by-nc-sa-2.0",
                                                        "cc-by-nc-sa-3.0",
                                                        "cc-by-nc-sa-4.0",
                                                        "cdla-sharing-1.0",
                                                        "cdla-permissive-1.0",
                                                        "cdla-permissive-2.0",
                                                        "wtfpl",
                                                        "ecl-2.0",
                                                        "epl-1.0",
                                                        "epl-2.0",
                                                        "etalab-2.0",
                                                        "eupl-1.1",
                                                        "eupl-1.2",
                                                        "agpl-3.0",
                                                        "gfdl",
                                                        "gpl",
                                                        "gpl-2.0",
                                                        "gpl-3.0",
                                                        "lgpl",
                                                        "lgpl-2.1",
                                                        "lgpl-3.0",
                                                        "isc",
                                                        "h-research",
                                                        "intel-research",
                                                        "lppl-1.3c",
                                                        "ms-pl",
                                                        "apple-ascl",
                                                        "apple-amlr",
                                                        "mpl-2.0",
                                                        "odc-by",
                                                        "odbl",
                                                        "openmdw-1.0",
                                                        "openrail++",
                                                        "osl-3.0",
                                                        "postgresql",
                                                        "ofl-1.1",
                                                        "ncsa",
                                                        "unlicense",
                                                        "zlib",
                                                        "pddl",
                                                        "lgpl-lr",
                                                        "deepfloyd-if-license",
                                                        "fair-noncommercial-research-license",
                                                        "llama2",
                                                        "llama3",
                                                        "llama3.1",
                                                        "llama3.2",
                                                        "gemma",
                                                        "unknown",
                                                        "other"};
// Of models that came with a license of their own name, so that the list above need not know the next one.
constexpr std::array<std::string_view, 3> kLicenseFamilies = {"llama", "gemma", "grok"};

bool IsLicense(std::string_view text) {
  if (std::find(kLicenses.begin(), kLicenses.end(), text) != kLicenses.end()) return true;
  return std::any_of(kLicenseFamilies.begin(), kLicenseFamilies.end(), [&](std::string_view family) {
    return text.starts_with(family) && text.find_first_not_of("0123456789.-abcdefghijklmnopqrstuvwxyz") == text.npos;
  });
}

std::string Joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) (text += text.empty() ? "" : ", ") += word;
  return text;
}

enum class Shape { kText, kTextOrTexts, kTexts, kObjects, kObject };

struct Field {
  std::string_view key;
  Shape shape;
};

// What clients and pages take for granted where a key is there at all.
constexpr std::array<Field, 22> kFields = {{{"license", Shape::kTextOrTexts},
                                            {"license_name", Shape::kText},
                                            {"license_link", Shape::kText},
                                            {"language", Shape::kTextOrTexts},
                                            {"tags", Shape::kTexts},
                                            {"datasets", Shape::kTextOrTexts},
                                            {"metrics", Shape::kTexts},
                                            {"base_model", Shape::kTextOrTexts},
                                            {"base_model_relation", Shape::kText},
                                            {"pipeline_tag", Shape::kText},
                                            {"library_name", Shape::kText},
                                            {"model_name", Shape::kText},
                                            {"pretty_name", Shape::kText},
                                            {"task_categories", Shape::kTexts},
                                            {"task_ids", Shape::kTexts},
                                            {"size_categories", Shape::kTextOrTexts},
                                            {"source_datasets", Shape::kTextOrTexts},
                                            {"configs", Shape::kObjects},
                                            {"model-index", Shape::kObjects},
                                            {"sdk", Shape::kText},
                                            {"app_file", Shape::kText},
                                            {"extra_gated_fields", Shape::kObject}}};

bool IsTexts(const json::value& value) {
  const json::array* array = value.if_array();
  return array != nullptr &&
         std::all_of(array->begin(), array->end(), [](const json::value& one) { return one.is_string(); });
}

// What is wrong, after the key's name; "" where nothing is.
std::string_view Misshapen(const json::value& value, Shape shape) {
  switch (shape) {
    case Shape::kText: return value.is_string() ? "" : "must be a string";
    case Shape::kTextOrTexts: return value.is_string() || IsTexts(value) ? "" : "must be a string or a list of strings";
    case Shape::kTexts: return IsTexts(value) ? "" : "must be an array of strings";
    case Shape::kObject: return value.is_object() ? "" : "must be an object";
    case Shape::kObjects: {
      const json::array* array = value.if_array();
      const bool good = array != nullptr && std::all_of(array->begin(), array->end(),
                                                        [](const json::value& one) { return one.is_object(); });
      return good ? "" : "must be an array of objects";
    }
  }
  return "";
}

void CheckFields(const json::object& data, CardVerdict& verdict) {
  for (const Field& field : kFields) {
    const json::value* value = data.if_contains(field.key);
    if (value == nullptr || value->is_null()) continue;
    const std::string_view wrong = Misshapen(*value, field.shape);
    if (!wrong.empty()) verdict.errors.push_back(fmt::format("\"{}\" {}", field.key, wrong));
  }
}

void CheckLicense(const json::object& data, CardVerdict& verdict) {
  for (const std::string& license : TextsOf(data, "license")) {
    if (IsLicense(license)) continue;
    verdict.errors.push_back(fmt::format("\"license\" must be one of [{}]", Joined(kLicenses)));
    return;
  }
  if (TextsOf(data, "license") == std::vector<std::string>{"other"} && TextsOf(data, "license_name").empty()) {
    verdict.warnings.emplace_back("\"license_name\" says which one it is where \"license\" is \"other\"");
  }
}

}  // namespace

SplitCard SplitReadme(std::string_view readme) {
  if (readme.starts_with(kByteOrderMark)) readme.remove_prefix(kByteOrderMark.size());
  std::string_view rest = readme.substr(std::min(readme.find_first_not_of(" \t\r\n"), readme.size()));
  if (!rest.starts_with(kFence)) return {.text = readme};
  rest.remove_prefix(kFence.size());
  if (rest.empty() || (rest[0] != '\n' && rest[0] != '\r')) return {.text = readme};
  for (size_t line = rest.find('\n'); line != rest.npos; line = rest.find('\n', line + 1)) {
    std::string_view after = rest.substr(line + 1);
    if (!after.starts_with(kFence)) continue;
    after.remove_prefix(kFence.size());
    after.remove_prefix(std::min(after.find_first_not_of(" \t"), after.size()));
    if (after.starts_with('\r')) after.remove_prefix(1);
    if (!after.empty() && after[0] != '\n') continue;
    return {.metadata = rest.substr(0, line + 1), .text = after.empty() ? after : after.substr(1)};
  }
  return {.text = readme};
}

Card ReadCard(std::string_view readme) {
  const SplitCard split = SplitReadme(readme);
  Card card{.text = split.text};
  if (!split.metadata) return card;
  auto data = yaml::Parse(*split.metadata, "metadata", {.bytes = kMaxCardMetadataBytes});
  if (!data) {
    card.error = std::move(data).error().message;
  } else if (json::object* object = data->if_object()) {
    card.data = std::move(*object);
  } else if (!data->is_null()) {
    card.error = "metadata: expected \"key: value\" lines";
  }
  return card;
}

std::vector<std::string> TextsOf(const json::object& data, std::string_view key) {
  std::vector<std::string> texts;
  const json::value* value = data.if_contains(key);
  if (value == nullptr) return texts;
  if (const json::string* text = value->if_string()) texts.emplace_back(*text);
  if (const json::array* array = value->if_array()) {
    for (const json::value& one : *array) {
      if (texts.size() == kMaxTexts) break;
      if (const json::string* text = one.if_string()) texts.emplace_back(*text);
    }
  }
  return texts;
}

CardVerdict ValidateCard(std::string_view readme, RepositoryKind kind) {
  CardVerdict verdict;
  const Card card = ReadCard(readme);
  if (card.error) {
    verdict.errors.push_back(*card.error);
    return verdict;
  }
  if (card.data.empty()) {
    verdict.warnings.emplace_back("empty or missing yaml metadata in repo card");
    return verdict;
  }
  CheckFields(card.data, verdict);
  CheckLicense(card.data, verdict);
  if (kind == RepositoryKind::kSpace && TextsOf(card.data, "sdk").empty()) {
    verdict.errors.emplace_back("\"sdk\" is required");
  }
  return verdict;
}

}  // namespace bothy
