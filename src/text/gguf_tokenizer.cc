#include <algorithm>
#include <utility>

#include "text/bpe.h"
#include "text/gguf_pre.h"
#include "text/open_tokenizer.h"
#include "text/sentencepiece.h"
#include "text/space_cutter.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

namespace bothy {
namespace {

// The keys of a GGUF file that every kind of vocabulary has.
struct Vocabulary {
  const GgufMetadata& metadata;
  const GgufArray* tokens = nullptr;
  std::vector<SentencePieceSpec::Type> types;  // of each token
  SpecialTokens special;

  size_t size() const { return tokens->size(); }
  std::string_view Token(size_t i) const { return tokens->String(i); }
};

using Type = SentencePieceSpec::Type;

// The token that `key` names; nothing where it is missing or says that there is none.
Result<std::optional<TokenId>> SpecialToken(const GgufMetadata& metadata, std::string_view key, size_t tokens) {
  const auto id = TRY(metadata.GetInt(key));
  if (!id || *id == -1 || *id == 0xFFFFFFFF) return std::nullopt;
  if (*id < 0 || static_cast<uint64_t>(*id) >= tokens) {
    return Fail(ErrorCode::kCorrupt, "key \"{}\": {} of {} tokens", key, *id, tokens);
  }
  return static_cast<TokenId>(*id);
}

Result<Vocabulary> ReadVocabulary(const GgufMetadata& metadata) {
  Vocabulary vocabulary{metadata, TRY(metadata.NeedStrings("tokenizer.ggml.tokens"))};
  const size_t count = vocabulary.size();
  for (size_t i = 0; i < count; i++) {
    if (FindInvalidUtf8(vocabulary.Token(i)) != std::string_view::npos) {
      return Fail(ErrorCode::kCorrupt, "key \"tokenizer.ggml.tokens\": token {} is not valid UTF-8", i);
    }
  }
  vocabulary.types.assign(count, Type::kNormal);
  if (const auto types = TRY(metadata.GetInts("tokenizer.ggml.token_type"))) {
    if (types->size() != count) {
      return Fail(ErrorCode::kCorrupt, "key \"tokenizer.ggml.token_type\": {} values for {} tokens", types->size(),
                  count);
    }
    for (size_t i = 0; i < count; i++) {
      const int64_t type = (*types)[i];
      if (type >= 1 && type <= 6) vocabulary.types[i] = static_cast<Type>(type);  // 0: undefined
    }
  }
  const auto read = [&](std::string_view name) {
    return SpecialToken(metadata, fmt::format("tokenizer.ggml.{}_token_id", name), count);
  };
  SpecialTokens& special = vocabulary.special;
  special.bos = TRY(read("bos"));
  special.eos = TRY(read("eos"));
  special.unk = TRY(read("unknown"));
  special.pad = TRY(read("padding"));
  special.sep = TRY(read("seperator"));  // the key is spelled so
  special.cls = TRY(read("cls"));
  special.mask = TRY(read("mask"));
  for (const std::string_view name : {"eot", "eom"}) {
    if (const auto id = TRY(read(name))) special.end_of_generation.push_back(*id);
  }
  return vocabulary;
}

// Whether a text begins with bos and ends with eos, where the file says, or else as its kind does.
Result<void> AddSurrounding(const Vocabulary& vocabulary, bool bos, bool eos, Tokenizer::Parts& parts) {
  const GgufMetadata& metadata = vocabulary.metadata;
  bos = TRY(metadata.GetBool("tokenizer.ggml.add_bos_token")).value_or(bos);
  eos = TRY(metadata.GetBool("tokenizer.ggml.add_eos_token")).value_or(eos);
  parts.post_processor = SurroundingTokens(bos ? parts.special.bos : std::nullopt,  //
                                           eos ? parts.special.eos : std::nullopt);
  return {};
}

// Control tokens and the user's own are found in the text before anything else.
std::vector<AddedToken> AddedTokens(const Vocabulary& vocabulary) {
  std::vector<AddedToken> added;
  for (size_t i = 0; i < vocabulary.size(); i++) {
    const Type type = vocabulary.types[i];
    if (type != Type::kControl && type != Type::kUnknown && type != Type::kUserDefined) continue;
    if (vocabulary.Token(i).empty()) continue;
    added.push_back({.id = static_cast<TokenId>(i),
                     .content = std::string(vocabulary.Token(i)),
                     .special = type != Type::kUserDefined});
  }
  return added;
}

Result<Tokenizer::Parts> MakeBpe(const Vocabulary& vocabulary, std::string_view default_pre) {
  const GgufMetadata& metadata = vocabulary.metadata;
  const std::string pre_name = TRY(metadata.GetString("tokenizer.ggml.pre")).value_or(std::string(default_pre));
  const GgufPre* pre = FindGgufPre(pre_name);
  if (pre == nullptr) {
    return Fail(ErrorCode::kUnimplemented, "key \"tokenizer.ggml.pre\": \"{}\" is not known", pre_name);
  }
  Tokenizer::Parts parts;
  auto pieces = std::make_shared<PieceTable>();
  pieces->Reserve(vocabulary.size(), vocabulary.size() * 8);
  for (size_t i = 0; i < vocabulary.size(); i++) TRY(pieces->Add(vocabulary.Token(i), static_cast<int64_t>(i)));

  const GgufArray& merges = *TRY(metadata.NeedStrings("tokenizer.ggml.merges"));
  BpeModel::Builder builder(
      *pieces,
      {.byte_level = !pre->raw_characters, .byte_fallback = pre->raw_characters, .ignore_merges = pre->ignore_merges},
      merges.size());
  for (size_t i = 0; i < merges.size(); i++) {
    const std::string_view merge = merges.String(i);
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos) {
      return Fail(ErrorCode::kCorrupt, "key \"tokenizer.ggml.merges\": merge {}: no space in \"{}\"", i, merge);
    }
    TRY_CONTEXT(fmt::format("key \"tokenizer.ggml.merges\": merge {}", i),
                builder.AddMerge(merge.substr(0, space), merge.substr(space + 1)));
  }
  parts.model = TRY(builder.Build());

  std::vector<PreTokenizerPtr> steps;
  for (const std::string_view pattern : pre->patterns) {
    steps.push_back(TRY(SplitByRegex(pattern, SplitBehavior::kIsolated, false)));
  }
  if (pre->raw_characters) {
    parts.normalizer = ReplaceNormalizer(" ", "\xE2\x96\x81");
    if (auto cutter = CutBeforeSpaceSymbols(*pieces)) steps.push_back(std::move(cutter));
    parts.decoder.push_back(ReplaceDecoder("\xE2\x96\x81", " "));
    parts.decoder.push_back(ByteFallbackDecoder());
    parts.decoder.push_back(FuseDecoder());
  } else {
    parts.decoder.push_back(ByteLevelDecoder());
  }
  parts.pre_tokenizer = PreTokenizerSequence(std::move(steps));
  parts.vocabulary = std::move(pieces);
  parts.added = AddedTokens(vocabulary);
  parts.special = vocabulary.special;
  TRY(AddSurrounding(vocabulary, pre->add_bos, false, parts));
  return parts;
}

// "llama" is SentencePiece's BPE, "t5" its Unigram.
Result<Tokenizer::Parts> MakeSentencePieceFromGguf(const Vocabulary& vocabulary, bool is_unigram) {
  const GgufMetadata& metadata = vocabulary.metadata;
  const auto scores = TRY(metadata.GetFloats("tokenizer.ggml.scores"));
  if (scores && scores->size() != vocabulary.size()) {
    return Fail(ErrorCode::kCorrupt, "key \"tokenizer.ggml.scores\": {} values for {} tokens", scores->size(),
                vocabulary.size());
  }
  SentencePieceSpec spec;
  spec.is_unigram = is_unigram;
  for (size_t i = 0; i < vocabulary.size(); i++) {
    spec.pieces.push_back({std::string(vocabulary.Token(i)), scores ? (*scores)[i] : 0, vocabulary.types[i]});
    if (vocabulary.types[i] == Type::kByte) spec.byte_fallback = true;
  }
  spec.add_dummy_prefix = TRY(metadata.GetBool("tokenizer.ggml.add_space_prefix")).value_or(true);
  spec.remove_extra_whitespaces = TRY(metadata.GetBool("tokenizer.ggml.remove_extra_whitespaces")).value_or(false);
  if (const GgufValue* map = metadata.Find("tokenizer.ggml.precompiled_charsmap")) {
    const GgufArray* array = map->array();
    if (array == nullptr || (array->type() != GgufType::kU8 && array->type() != GgufType::kI8)) {
      return Fail(ErrorCode::kCorrupt, "key \"tokenizer.ggml.precompiled_charsmap\": expected an array of bytes");
    }
    spec.charsmap.assign(reinterpret_cast<const char*>(array->bytes().data()), array->bytes().size());
  }
  spec.unk = vocabulary.special.unk;
  for (size_t i = 0; i < vocabulary.size() && !spec.unk; i++) {
    if (vocabulary.types[i] == Type::kUnknown) spec.unk = static_cast<TokenId>(i);
  }
  spec.bos = vocabulary.special.bos;
  spec.eos = vocabulary.special.eos;
  Tokenizer::Parts parts = TRY(MakeSentencePiece(std::move(spec)));
  parts.added = AddedTokens(vocabulary);
  const auto unk = parts.special.unk;
  parts.special = vocabulary.special;
  parts.special.unk = unk;
  parts.parses_special = true;
  TRY(AddSurrounding(vocabulary, !is_unigram, is_unigram, parts));
  return parts;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> TokenizerFromGguf(const GgufMetadata& metadata) {
  const std::string kind = TRY(metadata.NeedString("tokenizer.ggml.model"));
  if (kind != "gpt2" && kind != "llama" && kind != "t5" && kind != "gemma4") {
    return Fail(ErrorCode::kUnimplemented, "key \"tokenizer.ggml.model\": \"{}\" is not supported", kind);
  }
  const Vocabulary vocabulary = TRY(ReadVocabulary(metadata));
  Tokenizer::Parts parts = kind == "llama" || kind == "t5"
                               ? TRY(MakeSentencePieceFromGguf(vocabulary, kind == "t5"))
                               : TRY(MakeBpe(vocabulary, kind == "gemma4" ? kind : "default"));
  FindWellKnownTokens(parts);
  return Tokenizer::Create(std::move(parts));
}

}  // namespace bothy
