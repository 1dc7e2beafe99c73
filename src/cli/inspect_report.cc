#include "cli/inspect_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <vector>

#include "cli/terminal.h"
#include "text/utf8.h"

namespace bothy::cli {
namespace {

constexpr size_t kShownElements = 8;  // of an array
constexpr size_t kShownText = 160;    // bytes of a string, in text
constexpr size_t kMaxNameWidth = 60;  // of a column

// Files may hold any bytes; JSON and terminals may not.
std::string Valid(std::string_view text) {
  std::string out;
  AppendRepairedUtf8(out, text);
  return out;
}

// "blk.2" before "blk.10".
bool NaturalLess(std::string_view a, std::string_view b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      const auto number = [&](std::string_view text, size_t& at) {
        while (at < text.size() && text[at] == '0') at++;
        const size_t begin = at;
        while (at < text.size() && digit(text[at])) at++;
        return text.substr(begin, at - begin);
      };
      const std::string_view x = number(a, i), y = number(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      i++;
      j++;
    }
  }
  if (i < a.size() || j < b.size()) return j < b.size();
  return a < b;  // "a01" and "a1"
}

std::vector<const ArrayInfo*> InNaturalOrder(const Checkpoint& checkpoint) {
  std::vector<const ArrayInfo*> arrays;
  for (const ArrayInfo& array : checkpoint.arrays()) arrays.push_back(&array);
  std::ranges::sort(arrays, [](const ArrayInfo* a, const ArrayInfo* b) { return NaturalLess(a->name, b->name); });
  return arrays;
}

struct Totals {
  uint64_t tensors = 0, elements = 0, bytes = 0;
  void Add(const ArrayInfo& array) {
    tensors++;
    elements += ElementCount(array);
    bytes += array.size;
  }
};

// By type, the largest first.
std::vector<std::pair<DType, Totals>> ByType(const Checkpoint& checkpoint) {
  std::map<DType, Totals> totals;
  for (const ArrayInfo& array : checkpoint.arrays()) totals[array.dtype].Add(array);
  std::vector<std::pair<DType, Totals>> sorted(totals.begin(), totals.end());
  std::ranges::sort(sorted, std::greater(),
                    [](const auto& entry) { return std::pair(entry.second.bytes, entry.first); });
  return sorted;
}

Totals All(const Checkpoint& checkpoint) {
  Totals all;
  for (const ArrayInfo& array : checkpoint.arrays()) all.Add(array);
  return all;
}

double BitsPerElement(const Totals& totals) {
  return totals.elements > 0 ? 8.0 * static_cast<double>(totals.bytes) / static_cast<double>(totals.elements) : 0;
}

// An f32 as the shortest decimals that mean it, 1e-05, and not as the double that it is, 9.999999747378752e-06.
json::value NumberJson(double number, GgufType type) {
  if (!std::isfinite(number)) return json::string(fmt::format("{}", number));  // JSON has none of these
  if (type != GgufType::kF32) return number;
  const std::string text = fmt::format("{}", static_cast<float>(number));
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

json::value ElementJson(const GgufArray& array, size_t i, const InspectOptions& options);

json::object ArrayJson(const GgufArray& array, const InspectOptions& options) {
  const size_t shown = options.full ? array.size() : std::min(array.size(), kShownElements);
  json::array values;
  for (size_t i = 0; i < shown; i++) values.push_back(ElementJson(array, i, options));
  return {{"element_type", GgufTypeName(array.type())}, {"count", array.size()}, {"values", std::move(values)}};
}

json::value ElementJson(const GgufArray& array, size_t i, const InspectOptions& options) {
  switch (array.type()) {
    case GgufType::kString: return json::string(Valid(array.String(i)));
    case GgufType::kArray: return ArrayJson(array.Array(i), options);
    case GgufType::kBool: return array.Integer(i) == 1;
    default: break;
  }
  if (const auto integer = array.Integer(i)) return *integer;
  return NumberJson(array.Number(i), array.type());
}

json::value ValueJson(const GgufValue& value) {
  if (const std::string* text = value.string()) return json::string(Valid(*text));
  if (const bool* boolean = value.boolean()) return *boolean;
  if (const auto* number = std::get_if<uint64_t>(&value.storage())) return *number;
  if (const auto integer = value.integer()) return *integer;
  return NumberJson(value.number().value_or(0), value.type());
}

json::array MetadataJson(const GgufMetadata& metadata, const InspectOptions& options) {
  json::array list;
  for (const GgufMetadata::Entry& entry : metadata.entries()) {
    json::object item = {{"key", Valid(entry.key)}, {"type", GgufTypeName(entry.value.type())}};
    if (const GgufArray* array = entry.value.array()) {
      for (auto& [key, value] : ArrayJson(*array, options)) item[key] = std::move(value);
    } else {
      item["value"] = ValueJson(entry.value);
    }
    list.push_back(std::move(item));
  }
  return list;
}

// ---- text ----

// A JSON value in one line, cut where it is long; quotes and escapes keep control characters off the terminal.
std::string Short(const json::value& value, const InspectOptions& options) {
  if (value.is_double()) return fmt::format("{}", value.get_double());
  std::string text;
  if (const json::array* array = value.if_array();
      array != nullptr && !options.full && array->size() > kShownElements) {
    text = json::Serialize(json::array(array->begin(), array->begin() + kShownElements));
    text.back() = ',';
    text += fmt::format(" ... {} in all]", array->size());
  } else {
    text = json::Serialize(value);
  }
  if (options.full || text.size() <= kShownText) return text;
  size_t end = kShownText;
  while (end > 0 && IsUtf8Continuation(text[end])) end--;
  return fmt::format("{} ... ({} bytes)", text.substr(0, end), text.size());
}

std::string Name(std::string_view text) {
  std::string quoted = json::Serialize(json::string(Valid(text)));
  const bool plain = quoted.size() == text.size() + 2;  // nothing had to be escaped or repaired
  return plain ? std::string(text) : quoted;
}

// Rows of left-aligned cells, each column as wide as its widest cell (within reason).
class Table {
 public:
  void Row(std::vector<std::string> cells) {
    widths_.resize(std::max(widths_.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); i++) {
      widths_[i] = std::max(widths_[i], std::min(CountUtf8(cells[i]), kMaxNameWidth));
    }
    rows_.push_back(std::move(cells));
  }
  std::string Text() const {
    std::string out;
    for (const auto& row : rows_) {
      std::string line = " ";
      for (size_t i = 0; i < row.size(); i++) {
        line += " " + row[i];
        if (i + 1 < row.size()) line.append(1 + widths_[i] - std::min(widths_[i], CountUtf8(row[i])), ' ');
      }
      out += line + "\n";
    }
    return out;
  }

 private:
  std::vector<size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

std::string Thousands(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string Heading(std::string_view title) { return fmt::format("\n{}\n", title); }

// What the model says of itself, in a few words.
std::string ModelName(const ModelFiles& files) {
  std::string kind, name;
  if (files.gguf) {
    kind = files.gguf->GetString("general.architecture").value_or(std::nullopt).value_or("");
    name = files.gguf->GetString("general.name").value_or(std::nullopt).value_or("");
  } else if (files.config) {
    kind = json::GetString(*files.config, "model_type").value_or(std::nullopt).value_or("");
    const json::array* architectures = json::FindArray(*files.config, "architectures");
    if (architectures != nullptr && !architectures->empty() && architectures->front().is_string()) {
      name = architectures->front().get_string();
    }
  }
  if (kind.empty()) return "unknown";
  return name.empty() ? Name(kind) : fmt::format("{} ({})", Name(kind), Name(name));
}

std::string MetadataText(const GgufMetadata& metadata, const InspectOptions& options) {
  Table table;
  for (const GgufMetadata::Entry& entry : metadata.entries()) {
    std::string type(GgufTypeName(entry.value.type()));
    std::string value;
    if (const GgufArray* array = entry.value.array()) {
      type = fmt::format("{} x {}", array->size(), GgufTypeName(array->type()));
      value = Short(ArrayJson(*array, options).at("values"), options);
      if (!options.full && array->size() > kShownElements) value.back() = ',', value += " ...]";
    } else {
      value = Short(ValueJson(entry.value), options);
    }
    table.Row({Name(entry.key), type, value});
  }
  return table.Text();
}

std::string ObjectText(const json::object& object, const InspectOptions& options) {
  Table table;
  for (const auto& [key, value] : object) table.Row({Name(key), Short(value, options)});
  return table.Text();
}

std::string TensorsText(const Checkpoint& checkpoint) {
  Table table;
  for (const ArrayInfo* array : InNaturalOrder(checkpoint)) {
    table.Row({Name(array->name), std::string(DTypeName(array->dtype)),
               fmt::format("[{}]", fmt::join(array->shape, ", ")), HumanBytes(array->size)});
  }
  return table.Text();
}

}  // namespace

json::object InspectJson(const ModelFiles& files, const InspectOptions& options) {
  const Totals all = All(files.checkpoint);
  json::object report = {{"path", Valid(files.name)},
                         {"format", files.format},
                         {"parameters", all.elements},
                         {"bytes", all.bytes},
                         {"bits_per_parameter", BitsPerElement(all)}};
  json::array types;
  for (const auto& [type, totals] : ByType(files.checkpoint)) {
    types.push_back(json::object{{"dtype", DTypeName(type)},
                                 {"tensors", totals.tensors},
                                 {"parameters", totals.elements},
                                 {"bytes", totals.bytes}});
  }
  report["types"] = std::move(types);
  report["metadata"] = files.gguf ? json::value(MetadataJson(*files.gguf, options)) : json::value(nullptr);
  report["config"] = files.config ? json::value(*files.config) : json::value(nullptr);
  report["generation_config"] = files.generation_config ? json::value(*files.generation_config) : json::value(nullptr);
  if (!options.tensors) return report;
  json::array tensors;
  for (const ArrayInfo* array : InNaturalOrder(files.checkpoint)) {
    tensors.push_back(json::object{{"name", Valid(array->name)},
                                   {"dtype", DTypeName(array->dtype)},
                                   {"shape", json::array(array->shape.begin(), array->shape.end())},
                                   {"bytes", array->size},
                                   {"file", Valid(files.checkpoint.SourceOf(*array).name())},
                                   {"offset", array->offset}});
  }
  report["tensors"] = std::move(tensors);
  return report;
}

std::string InspectText(const ModelFiles& files, const InspectOptions& options) {
  const Totals all = All(files.checkpoint);
  std::string out = fmt::format("{}\n", Name(files.name));
  Table summary;
  summary.Row({"format", files.format});
  summary.Row({"model", ModelName(files)});
  summary.Row({"parameters", fmt::format("{} ({})", HumanCount(all.elements), Thousands(all.elements))});
  summary.Row({"data", fmt::format("{}, {:.2f} bits for each parameter", HumanBytes(all.bytes), BitsPerElement(all))});
  summary.Row({"tensors", std::to_string(all.tensors)});
  out += summary.Text();

  out += Heading("Types");
  Table types;
  for (const auto& [type, totals] : ByType(files.checkpoint)) {
    types.Row({std::string(DTypeName(type)), fmt::format("{} tensor{}", totals.tensors, totals.tensors == 1 ? "" : "s"),
               fmt::format("{} parameters", HumanCount(totals.elements)), HumanBytes(totals.bytes)});
  }
  out += types.Text();
  if (files.gguf) out += Heading("Metadata") + MetadataText(*files.gguf, options);
  if (files.config) out += Heading("config.json") + ObjectText(*files.config, options);
  if (files.generation_config) out += Heading("generation_config.json") + ObjectText(*files.generation_config, options);
  if (options.tensors) out += Heading("Tensors") + TensorsText(files.checkpoint);
  return out;
}

}  // namespace bothy::cli
