#include "text/open_tokenizer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "codec/gguf.h"
#include "text/sentencepiece.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_json.h"
#include "text/vocabulary_files.h"

namespace bothy {
namespace {

constexpr uint64_t kMaxFile = 256 << 20;  // Gemma's 33 MB are the largest known

enum class Format { kJson, kTekken, kEncoderJson, kSentencePiece, kTiktoken, kLlama2c, kWordPiece };

// A top-level key of a JSON object, found without parsing it: tokenizer.json names its model, tekken.json its tokens.
bool HasKey(std::string_view text, std::string_view key) {
  const std::string quoted = "\"" + std::string(key) + "\"";
  for (size_t at = text.find(quoted); at != std::string_view::npos; at = text.find(quoted, at + 1)) {
    size_t after = at + quoted.size();
    while (after < text.size() && (text[after] == ' ' || text[after] == '\n')) after++;
    if (text.substr(after, 1) != ":") continue;
    do after++;
    while (after < text.size() && (text[after] == ' ' || text[after] == '\n'));
    if (text.substr(after, 1) == "{" || text.substr(after, 1) == "[") return true;
  }
  return false;
}

Format FormatOf(std::string_view text, std::string_view name) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') {
    if (HasKey(text, "model")) return Format::kJson;
    return HasKey(text, "vocab") ? Format::kTekken : Format::kEncoderJson;
  }
  // A small 32-bit number begins llama2.c's, field 1 SentencePiece's.
  if (text.size() >= 4 && text[1] == '\0' && text[2] == '\0' && text[3] == '\0') return Format::kLlama2c;
  if (text.starts_with('\n')) return Format::kSentencePiece;
  const std::string_view line = text.substr(0, text.find('\n'));
  const size_t space = line.find(' ');
  const std::string_view rank = space != std::string_view::npos ? line.substr(space + 1) : "";
  if (!rank.empty() && rank.find_first_not_of("0123456789\r") == std::string_view::npos) return Format::kTiktoken;
  return name.ends_with(".model") ? Format::kSentencePiece : Format::kWordPiece;
}

Result<Tokenizer::Parts> ReadFile(std::string_view text, const std::string& name, const TokenizerConfig& config) {
  switch (FormatOf(text, name)) {
    case Format::kJson: return ReadTokenizerJson(text, name);
    case Format::kTekken: return ReadTekken(text, name);
    case Format::kEncoderJson: return ReadEncoderJson(text, name);
    case Format::kTiktoken: return ReadTiktoken(text, name);
    case Format::kLlama2c: {
      Tokenizer::Parts parts = TRY_CONTEXT(name, MakeSentencePiece(TRY(ReadLlama2cTokenizer(text, name))));
      // llama2.c trains on stories with <s> between them, and its run.c ends a text there.
      if (parts.special.bos) parts.special.end_of_generation.push_back(*parts.special.bos);
      return parts;
    }
    case Format::kWordPiece: return ReadWordPieceVocab(text, config, name);
    case Format::kSentencePiece: break;
  }
  SentencePieceSpec spec = TRY(ReadSentencePieceModel(text, name));
  spec.dummy_prefix_only_first = config.legacy.has_value() && !*config.legacy;
  if (config.add_prefix_space) spec.add_dummy_prefix = *config.add_prefix_space;
  return TRY_CONTEXT(name, MakeSentencePiece(std::move(spec)));
}

Result<std::string> ReadText(const Folder& folder, std::string_view file) {
  const auto source = TRY(folder.Open(file));
  return source->ReadAll(kMaxFile);
}

Result<std::unique_ptr<Tokenizer>> Finish(const TokenizerConfig& config, Tokenizer::Parts parts) {
  TRY(ApplyConfig(config, parts));
  // Who reads SentencePiece's models or ranks by such a config parses special tokens, as the library it belongs to.
  if (!config.tokenizer_class.empty()) parts.parses_special = true;
  FindWellKnownTokens(parts);
  return Tokenizer::Create(std::move(parts));
}

// Names under which one file is the whole of a tokenizer, the best first.
constexpr std::array<std::string_view, 9> kFiles = {
    "tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "sentencepiece.model", "spm.model",
    "tekken.json",    "vocab.txt",       "tokenizer.bin"};

std::optional<std::string> FindFile(const Folder& folder) {
  for (const std::string_view name : kFiles) {
    if (folder.Has(name)) return std::string(name);
    if (name == "tokenizer.json" && folder.Has("vocab.json") && folder.Has("merges.txt")) return std::nullopt;
  }
  for (const std::string& name : folder.files()) {
    const std::string_view view = name;
    if (view.starts_with("tok") && view.ends_with(".bin")) return name;  // llama2.c's tok512.bin
    if (view.ends_with(".tiktoken") || view.starts_with("tokenizer.model.") || view.find(".model.v") != view.npos) {
      return name;
    }
  }
  if (folder.Has("encoder.json")) return "encoder.json";
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const Folder& folder) {
  const TokenizerConfig config = TRY(ReadTokenizerConfig(folder));
  if (const auto file = FindFile(folder)) {
    const std::string text = TRY(ReadText(folder, *file));
    return Finish(config, TRY(ReadFile(text, folder.name() + "/" + *file, config)));
  }
  if (folder.Has("vocab.json") && folder.Has("merges.txt")) {
    const std::string vocab = TRY(ReadText(folder, "vocab.json")), merges = TRY(ReadText(folder, "merges.txt"));
    return Finish(config, TRY(ReadVocabAndMerges(vocab, merges, config, folder.name())));
  }
  return Fail(ErrorCode::kNotFound,
              "{}: no tokenizer there (tokenizer.json, tokenizer.model, vocab.json with merges.txt, ...)",
              folder.name());
}

Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const ModelFiles& files) {
  if (files.gguf) return TRY_CONTEXT(files.name, TokenizerFromGguf(*files.gguf));
  if (files.folder != nullptr) return OpenTokenizer(*files.folder);
  return Fail(ErrorCode::kNotFound, "{}: no tokenizer came with it", files.name);
}

Result<std::unique_ptr<Tokenizer>> TokenizerFromFile(const ByteSource& file) {
  const std::string text = TRY(file.ReadAll(kMaxFile));
  const TokenizerConfig config;
  return Finish(config, TRY(ReadFile(text, file.name(), config)));
}

Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    const auto folder = TRY(OpenFolder(path));
    auto tokenizer = OpenTokenizer(*folder);
    if (tokenizer || tokenizer.error().code != ErrorCode::kNotFound) return tokenizer;
    // A folder with a GGUF file has its tokenizer in there.
    const auto files = OpenModelFiles(path);
    if (!files || !files->gguf) return tokenizer;
    return OpenTokenizer(*files);
  }
  const std::string name = path.filename().string();
  if (name.ends_with(".safetensors") || name.ends_with(".index.json") || name.starts_with("pytorch_model")) {
    return OpenTokenizer(*TRY(OpenFolder(path.has_parent_path() ? path.parent_path() : ".")));
  }
  std::shared_ptr<const ByteSource> file = TRY(OpenFile(path));
  std::array<std::byte, 4> magic{};
  if (file->size() >= magic.size()) TRY(file->Read(0, magic));
  if (std::string_view(reinterpret_cast<const char*>(magic.data()), magic.size()) == "GGUF") {
    const Gguf gguf = TRY(ReadGguf(file));
    return TRY_CONTEXT(file->name(), TokenizerFromGguf(gguf.metadata));
  }
  return TokenizerFromFile(*file);
}

}  // namespace bothy
