#include <algorithm>
#include <utility>

#include "text/bpe.h"
#include "text/gguf_pre.h"
#include "text/open_tokenizer.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

namespace bothy {
namespace {

enum TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

// The token that `key` names; nothing where it is missing or says that there is none.
Result<std::optional<TokenId>> SpecialToken(const GgufMetadata& metadata, std::string_view key, size_t tokens) {
  const auto id = TRY(metadata.GetInt(key));
  if (!id || *id == -1 || *id == 0xFFFFFFFF) return std::nullopt;
  if (*id < 0 || static_cast<uint64_t>(*id) >= tokens) {
    return Fail(ErrorCode::kCorrupt, "key \"{}\": {} of {} tokens", key, *id, tokens);
  }
  return static_cast<TokenId>(*id);
}

// Pieces that end an answer in chat formats, whichever of them the metadata names as the end.
constexpr std::string_view kEnds[] = {
    "<|eot_id|>",           "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>",   "<|endoftext|>",
    "<|eom_id|>",           "<EOT>",      "_<EOT>",  "[EOT]",      "[EOS]",    "<|end_of_text|>", "<end_of_utterance>",
    "<｜end▁of▁sentence｜>"};

}  // namespace

Result<std::unique_ptr<Tokenizer>> TokenizerFromGguf(const GgufMetadata& metadata) {
  const std::string kind = TRY(metadata.NeedString("tokenizer.ggml.model"));
  if (kind != "gpt2") {
    return Fail(ErrorCode::kUnimplemented, "key \"tokenizer.ggml.model\": \"{}\" is not supported yet", kind);
  }
  const std::string pre_name = TRY(metadata.GetString("tokenizer.ggml.pre")).value_or("default");
  const GgufPre* pre = FindGgufPre(pre_name);
  if (pre == nullptr) {
    return Fail(ErrorCode::kUnimplemented, "key \"tokenizer.ggml.pre\": \"{}\" is not known", pre_name);
  }
  const GgufArray& tokens = *TRY(metadata.NeedStrings("tokenizer.ggml.tokens"));
  const GgufArray& merges = *TRY(metadata.NeedStrings("tokenizer.ggml.merges"));
  const auto types = TRY(metadata.GetInts("tokenizer.ggml.token_type"));
  const size_t count = tokens.size();
  if (types && types->size() != count) {
    return Fail(ErrorCode::kCorrupt, "key \"tokenizer.ggml.token_type\": {} values for {} tokens", types->size(),
                count);
  }
  Tokenizer::Parts parts;
  auto pieces = std::make_shared<PieceTable>();
  pieces->Reserve(count, count * 8);
  for (size_t i = 0; i < count; i++) {
    const std::string_view token = tokens.String(i);
    if (FindInvalidUtf8(token) != std::string::npos) {
      return Fail(ErrorCode::kCorrupt, "key \"tokenizer.ggml.tokens\": token {} is not valid UTF-8", i);
    }
    const auto id = static_cast<TokenId>(i);
    TRY(pieces->Add(token, id));
    const int64_t type = types ? (*types)[i] : int64_t{kNormal};
    if (type == kControl || type == kUnknown || type == kUserDefined) {
      parts.added.push_back({.id = id, .content = std::string(token), .special = type != kUserDefined});
    }
    if (std::find(std::begin(kEnds), std::end(kEnds), token) != std::end(kEnds)) {
      parts.special.end_of_generation.push_back(id);
    }
  }
  BpeModel::Builder builder(*pieces, {.byte_level = true, .ignore_merges = pre->ignore_merges}, merges.size());
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
  parts.vocabulary = pieces;
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const std::string_view pattern : pre->patterns) {
    steps.push_back(TRY(SplitByRegex(pattern, SplitBehavior::kIsolated, false)));
  }
  parts.pre_tokenizer = PreTokenizerSequence(std::move(steps));

  SpecialTokens& special = parts.special;
  const auto read = [&](std::string_view key) { return SpecialToken(metadata, key, count); };
  special.bos = TRY(read("tokenizer.ggml.bos_token_id"));
  special.eos = TRY(read("tokenizer.ggml.eos_token_id"));
  special.unk = TRY(read("tokenizer.ggml.unknown_token_id"));
  special.pad = TRY(read("tokenizer.ggml.padding_token_id"));
  const auto eot = TRY(read("tokenizer.ggml.eot_token_id"));
  const auto eom = TRY(read("tokenizer.ggml.eom_token_id"));
  for (const auto& id : {special.eos, eot, eom}) {
    if (id) special.end_of_generation.push_back(*id);
  }
  std::ranges::sort(special.end_of_generation);
  const auto repeated = std::ranges::unique(special.end_of_generation);
  special.end_of_generation.erase(repeated.begin(), repeated.end());
  const bool add_bos = TRY(metadata.GetBool("tokenizer.ggml.add_bos_token")).value_or(pre->add_bos);
  const bool add_eos = TRY(metadata.GetBool("tokenizer.ggml.add_eos_token")).value_or(false);
  parts.post_processor = SurroundingTokens(add_bos ? special.bos : std::nullopt, add_eos ? special.eos : std::nullopt);
  parts.decoder.push_back(ByteLevelDecoder());
  return Tokenizer::Create(std::move(parts));
}

}  // namespace bothy
