#include "compress/hf_vocabulary.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/gguf_pre.h"
#include "text/split_patterns.h"

namespace bothy {
namespace {

// Of tokenizer.ggml.token_type.
enum class Kind : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

constexpr float kLastScore = -1e6f;  // for pieces that no merge makes

struct Token {
  std::string piece;
  Kind kind = Kind::kNormal;
};

// By id; empty where there is none.
class Tokens {
 public:
  explicit Tokens(uint64_t rows) : tokens_(rows) {}

  void Set(uint64_t id, std::string_view piece, Kind kind) {
    if (id < tokens_.size()) tokens_[id] = Token{std::string(piece), kind};
  }

  // "[PAD7]" for what is still missing.
  void Write(GgufMetadata& metadata) const {
    GgufArray pieces(GgufType::kString);
    pieces.ReserveStrings(tokens_.size());
    std::vector<int32_t> kinds;
    for (size_t id = 0; id < tokens_.size(); id++) {
      pieces.AddString(tokens_[id] ? tokens_[id]->piece : fmt::format("[PAD{}]", id));
      kinds.push_back(static_cast<int32_t>(tokens_[id] ? tokens_[id]->kind : Kind::kUnused));
    }
    metadata.Set("tokenizer.ggml.tokens", GgufValue::Array(std::move(pieces)));
    metadata.Set("tokenizer.ggml.token_type", GgufValue::I32s(kinds));
  }

  const std::vector<std::optional<Token>>& all() const { return tokens_; }

 private:
  std::vector<std::optional<Token>> tokens_;
};

std::string ReplaceAll(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// Tokens that models mark as text although they are not.
bool LooksLikeControl(std::string_view token) {
  return token == "<pad>" || token == "<mask>" || token == "<2mass>" || token == "[@BOS@]" ||
         (token.starts_with("<|") && token.ends_with("|>")) || (token.starts_with("<｜") && token.ends_with("｜>")) ||
         (token.starts_with("<unused") && token.ends_with(">"));
}

// `byte_level`: what is text is spelled with spaces, whatever the vocabulary has for them.
void AddAdded(Tokens& tokens, uint64_t id, const std::string& content, bool special, bool byte_level) {
  if (special || LooksLikeControl(content)) {
    tokens.Set(id, content, Kind::kControl);
  } else {
    tokens.Set(id, byte_level ? ReplaceAll(content, "\u2581", " ") : content, Kind::kUserDefined);
  }
}

bool IsByteToken(std::string_view piece) {  // "<0x0A>"
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); };
  return piece.size() == 6 && piece.starts_with("<0x") && hex(piece[3]) && hex(piece[4]) && piece[5] == '>';
}

Result<uint64_t> Id(const json::value& value, std::string_view file, std::string_view piece) {
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<uint64_t>(value.get_int64());
  return Fail(ErrorCode::kCorrupt, "{}: the id of \"{}\" is no number of a token", file, piece);
}

// A merge as GGUF spells it: two pieces with a space between, spaces within them as in GPT-2's alphabet.
Result<std::string> Merge(const json::value& merge, std::string_view file) {
  if (merge.is_string()) return std::string(merge.get_string());
  if (merge.is_array() && merge.get_array().size() == 2 && merge.get_array()[0].is_string() &&
      merge.get_array()[1].is_string()) {
    const auto part = [&](size_t i) { return ReplaceAll(std::string(merge.get_array()[i].get_string()), " ", "Ġ"); };
    return part(0) + ' ' + part(1);
  }
  return Fail(ErrorCode::kCorrupt, "{}: key \"merges\": expected strings or pairs of strings", file);
}

void WriteStrings(GgufMetadata& metadata, std::string_view key, const std::vector<std::string>& values) {
  metadata.Set(key, GgufValue::Strings(values));
}

// ---- How text is cut ----

// What a pre-tokenizer of tokenizer.json does, as a row of patterns; nothing where it does something else as well.
std::optional<std::vector<std::string>> PatternsOf(const json::object& pre_tokenizer) {
  const auto text = [&](std::string_view key) -> std::string_view {
    const json::value* value = pre_tokenizer.if_contains(key);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
  };
  const auto flag = [&](std::string_view key, bool fallback) {
    const json::value* value = pre_tokenizer.if_contains(key);
    return value != nullptr && value->is_bool() ? value->get_bool() : fallback;
  };
  const std::string_view type = text("type");
  if (type == "ByteLevel") {
    std::vector<std::string> patterns;
    if (flag("use_regex", true)) patterns.emplace_back(kGpt2Pattern);
    return patterns;
  }
  if (type == "Digits") {
    if (!flag("individual_digits", false)) return std::nullopt;
    return std::vector<std::string>{R"(\p{N})"};
  }
  if (type == "Split") {
    const json::object* pattern = json::FindObject(pre_tokenizer, "pattern");
    const json::value* regex = pattern != nullptr ? pattern->if_contains("Regex") : nullptr;
    const std::string_view behavior = text("behavior");
    const bool plain = behavior == "Isolated" ? !flag("invert", false) : behavior == "Removed" && flag("invert", false);
    if (regex == nullptr || !regex->is_string() || !plain) return std::nullopt;
    return std::vector<std::string>{std::string(regex->get_string())};
  }
  if (type == "Sequence") {
    const json::array* parts = json::FindArray(pre_tokenizer, "pretokenizers");
    if (parts == nullptr) return std::nullopt;
    std::vector<std::string> patterns;
    for (const json::value& part : *parts) {
      if (!part.is_object()) return std::nullopt;
      const auto more = PatternsOf(part.get_object());
      if (!more) return std::nullopt;
      patterns.insert(patterns.end(), more->begin(), more->end());
    }
    return patterns;
  }
  return std::nullopt;
}

// Files spell the same pattern in several ways: line ends escaped or not, and with or without a group around all of it.
std::string NormalPattern(std::string_view pattern) {
  const auto is_one_group = [](std::string_view text) {
    if (!text.starts_with('(') || text.starts_with("(?")) return false;
    int depth = 0;
    bool in_class = false;
    for (size_t i = 0; i < text.size(); i++) {
      if (text[i] == '\\') {
        i++;
      } else if (text[i] == '[' || text[i] == ']') {
        in_class = text[i] == '[';
      } else if (!in_class && (text[i] == '(' || text[i] == ')')) {
        depth += text[i] == '(' ? 1 : -1;
        if (depth == 0) return i + 1 == text.size();
      }
    }
    return false;
  };
  if (is_one_group(pattern)) pattern = pattern.substr(1, pattern.size() - 2);
  return ReplaceAll(ReplaceAll(std::string(pattern), "\r", "\\r"), "\n", "\\n");
}

// A name of tokenizer.ggml.pre that means the same. Of several the one of the model that made it famous.
std::optional<std::string_view> PreName(const std::vector<std::string>& patterns, bool ignore_merges) {
  constexpr std::string_view kNames[] = {"gpt-2",          "llama-bpe",   "smaug-bpe",  "qwen2",
                                         "smollm",         "tekken",      "gpt-4o",     "granite-embed-multi-97m",
                                         "qwen35",         "deepseek-v3", "falcon",     "deepseek-llm",
                                         "deepseek-coder", "bloom",       "viking",     "kimi-k2",
                                         "bailingmoe",     "seed-coder",  "superbpe",   "youtu",
                                         "tiny_aya",       "afmoe",       "exaone-moe", "minicpm5",
                                         "ufakzeka",       "laguna",      "spark2_5",   "jais-2",
                                         "chameleon"};
  std::optional<std::string_view> nearly;
  for (const std::string_view name : kNames) {
    const GgufPre* pre = FindGgufPre(name);
    if (pre == nullptr || !std::ranges::equal(pre->patterns, patterns, {}, NormalPattern, NormalPattern)) continue;
    if (pre->ignore_merges == ignore_merges) return name;
    if (!nearly) nearly = name;
  }
  return nearly;
}

Result<std::string_view> PreName(const json::object& tokenizer, bool ignore_merges, std::string_view file) {
  const json::object* pre_tokenizer = json::FindObject(tokenizer, "pre_tokenizer");
  if (pre_tokenizer != nullptr) {
    if (const auto patterns = PatternsOf(*pre_tokenizer)) {
      if (const auto name = PreName(*patterns, ignore_merges)) return *name;
    }
  }
  return Fail(ErrorCode::kUnimplemented, "{}: key \"pre_tokenizer\": GGUF has no name for how it cuts text", file);
}

// ---- The forms in which folders have vocabularies ----

// Pieces of model.vocab, then added tokens over them.
Result<Tokens> ReadTokens(const json::object& tokenizer, const json::object& model, bool byte_fallback, uint64_t rows,
                          std::string_view file) {
  Tokens tokens(rows);
  const json::object* vocabulary = json::FindObject(model, "vocab");
  if (vocabulary == nullptr) return Fail(ErrorCode::kCorrupt, "{}: key \"model.vocab\": expected an object", file);
  for (const auto& [piece, id] : *vocabulary) tokens.Set(TRY(Id(id, file, piece)), piece, Kind::kNormal);
  const json::array* added = json::FindArray(tokenizer, "added_tokens");
  for (const json::value& token : added != nullptr ? *added : json::array()) {
    if (!token.is_object()) return Fail(ErrorCode::kCorrupt, "{}: key \"added_tokens\": expected objects", file);
    const json::object& fields = token.get_object();
    const std::string content = TRY_CONTEXT(file, json::GetString(fields, "content")).value_or("");
    const json::value* id = fields.if_contains("id");
    AddAdded(tokens, TRY(Id(id != nullptr ? *id : json::value(), file, content)), content,
             TRY_CONTEXT(file, json::GetBool(fields, "special")).value_or(false), !byte_fallback);
  }
  return tokens;
}

Result<std::vector<std::string>> ReadMerges(const json::object& model, std::string_view file) {
  std::vector<std::string> merges;
  if (const json::array* list = json::FindArray(model, "merges")) {
    merges.reserve(list->size());
    for (const json::value& merge : *list) merges.push_back(TRY(Merge(merge, file)));
  }
  return merges;
}

// A piece's score: the first of the merges that make it.
std::vector<float> ScoresOf(const Tokens& tokens, const std::vector<std::string>& merges) {
  std::unordered_map<std::string, float> ranks;
  for (size_t i = 0; i < merges.size(); i++) {
    const size_t space = merges[i].find(' ');
    if (space == std::string::npos) continue;
    ranks.emplace(merges[i].substr(0, space) + merges[i].substr(space + 1), -static_cast<float>(i));
  }
  std::vector<float> scores;
  for (const auto& token : tokens.all()) {
    const auto rank = token ? ranks.find(token->piece) : ranks.end();
    scores.push_back(rank != ranks.end() && token->kind == Kind::kNormal ? rank->second : kLastScore);
  }
  return scores;
}

Result<void> AddTokenizerJson(const json::object& tokenizer, uint64_t rows, std::string_view file,
                              GgufMetadata& metadata) {
  static const json::object kNone;
  const json::object* found = json::FindObject(tokenizer, "model");
  const json::object& model = found != nullptr ? *found : kNone;
  const std::string type = TRY_CONTEXT(file, json::GetString(model, "type")).value_or("BPE");
  if (type != "BPE") {
    return Fail(ErrorCode::kUnimplemented, "{}: key \"model.type\": expected \"BPE\", found \"{}\"", file, type);
  }
  const bool byte_fallback = TRY_CONTEXT(file, json::GetBool(model, "byte_fallback")).value_or(false);
  const bool ignore_merges = TRY_CONTEXT(file, json::GetBool(model, "ignore_merges")).value_or(false);
  Tokens tokens = TRY(ReadTokens(tokenizer, model, byte_fallback, rows, file));
  const std::vector<std::string> merges = TRY(ReadMerges(model, file));
  if (byte_fallback) {
    for (uint64_t id = 0; id < tokens.all().size(); id++) {
      const auto& token = tokens.all()[id];
      if (token && token->kind == Kind::kNormal && IsByteToken(token->piece)) {
        tokens.Set(id, std::string(token->piece), Kind::kByte);
      }
    }
    metadata.Set("tokenizer.ggml.model", GgufValue::String("llama"));
    metadata.Set("tokenizer.ggml.pre", GgufValue::String("default"));
    tokens.Write(metadata);
    metadata.Set("tokenizer.ggml.scores", GgufValue::F32s(ScoresOf(tokens, merges)));
    return {};
  }
  const std::string_view pre = TRY(PreName(tokenizer, ignore_merges, file));
  metadata.Set("tokenizer.ggml.model", GgufValue::String("gpt2"));
  metadata.Set("tokenizer.ggml.pre", GgufValue::String(std::string(pre)));
  tokens.Write(metadata);
  WriteStrings(metadata, "tokenizer.ggml.merges", merges);
  return {};
}

// GPT-2's form: the pattern is in the code of the tokenizer's class.
Result<std::string_view> PreOfClass(const json::object& config, std::string_view file) {
  std::string name = TRY_CONTEXT(file, json::GetString(config, "tokenizer_class")).value_or("GPT2Tokenizer");
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  if (name == "GPT2Tokenizer") return "gpt-2";
  if (name == "Qwen2Tokenizer") return "qwen2";
  return Fail(ErrorCode::kUnimplemented,
              "{}: key \"tokenizer_class\": expected \"GPT2Tokenizer\" or \"Qwen2Tokenizer\" beside vocab.json, found "
              "\"{}\"",
              file, name);
}

// Lines of two pieces; the first may be a comment.
std::vector<std::string> ParseMerges(std::string_view text) {
  std::vector<std::string> merges;
  for (bool first = true; !text.empty(); first = false) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if ((first && line.starts_with("#version")) || std::ranges::count(line, ' ') != 1) continue;
    merges.emplace_back(line);
  }
  return merges;
}

Result<void> AddVocabJson(const TokenizerFiles& files, uint64_t rows, GgufMetadata& metadata) {
  const Folder& folder = files.folder;
  const json::object& config = files.config;
  const std::string file = folder.name() + "/vocab.json";
  const json::object vocabulary = TRY(folder.ReadObject("vocab.json", kMaxTokenizerBytes)).value_or(json::object());
  Tokens tokens(rows);
  for (const auto& [piece, id] : vocabulary) tokens.Set(TRY(Id(id, file, piece)), piece, Kind::kNormal);
  if (const auto added = TRY(folder.ReadObject("added_tokens.json", kMaxTokenizerBytes))) {
    for (const auto& [piece, id] : *added) {
      AddAdded(tokens, TRY(Id(id, folder.name() + "/added_tokens.json", piece)), std::string(piece), false, true);
    }
  }
  const std::string config_file = folder.name() + "/tokenizer_config.json";
  if (const json::object* added = json::FindObject(config, "added_tokens_decoder")) {
    for (const auto& [id, token] : *added) {
      uint64_t number = 0;
      for (const char c : id) number = c >= '0' && c <= '9' && number < rows ? number * 10 + uint64_t(c - '0') : rows;
      if (!token.is_object()) {
        return Fail(ErrorCode::kCorrupt, "{}: key \"added_tokens_decoder.{}\": expected an object", config_file,
                    std::string_view(id));
      }
      AddAdded(tokens, number, TRY_CONTEXT(config_file, json::GetString(token.get_object(), "content")).value_or(""),
               TRY_CONTEXT(config_file, json::GetBool(token.get_object(), "special")).value_or(false), true);
    }
  }
  const std::string_view pre = TRY(PreOfClass(config, config_file));
  const auto merges = TRY(folder.Open("merges.txt"));
  metadata.Set("tokenizer.ggml.model", GgufValue::String("gpt2"));
  metadata.Set("tokenizer.ggml.pre", GgufValue::String(std::string(pre)));
  tokens.Write(metadata);
  WriteStrings(metadata, "tokenizer.ggml.merges", ParseMerges(TRY(merges->ReadAll(kMaxTokenizerBytes))));
  return {};
}

}  // namespace

Result<bool> AddVocabulary(const TokenizerFiles& files, uint64_t rows, GgufMetadata& metadata) {
  const Folder& folder = files.folder;
  if (files.tokenizer) {
    TRY(AddTokenizerJson(*files.tokenizer, rows, folder.name() + "/tokenizer.json", metadata));
    return true;
  }
  if (folder.Has("vocab.json") && folder.Has("merges.txt")) {
    TRY(AddVocabJson(files, rows, metadata));
    return true;
  }
  for (const std::string_view file : {"tokenizer.model", "tekken.json"}) {
    if (folder.Has(file)) {
      return Fail(ErrorCode::kUnimplemented, "{}/{}: a vocabulary cannot be taken from it as yet", folder.name(), file);
    }
  }
  metadata.Set("tokenizer.ggml.model", GgufValue::String("none"));
  return false;
}

}  // namespace bothy
