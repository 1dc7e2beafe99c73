#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/base64.h"
#include "text/bpe.h"
#include "text/byte_alphabet.h"
#include "text/json_view.h"
#include "text/split_patterns.h"
#include "text/tokenizer_json.h"
#include "text/vocabulary_files.h"

namespace bothy {
namespace {

// Files of ranks do not say by what pattern text is cut. The patterns of those that are in use, by how many ranks they
// have at least: GPT-2 and Whisper have 50 thousand, GPT-4's and LLaMA 3's one pattern 100 and 128 thousand, Qwen's
// 151643, GPT-4o's 200 thousand.
std::string_view PatternFor(size_t ranks) {
  if (ranks >= 190'000) return kGpt4oPattern;
  if (ranks == 151'643) return kQwen2Pattern;
  return ranks >= 60'000 ? kLlama3Pattern : kGpt2Pattern;
}

// A byte-level tokenizer whose merges follow from the ranks: ids are ranks.
Result<Tokenizer::Parts> FromRanks(std::shared_ptr<const PieceTable> pieces, std::string_view pattern) {
  Tokenizer::Parts parts;
  BpeModel::Builder builder(*pieces, {.byte_level = true, .ignore_merges = true}, pieces->count() * 2);
  TRY(builder.AddMergesByRank());
  parts.model = TRY(builder.Build());
  parts.vocabulary = std::move(pieces);
  parts.pre_tokenizer = TRY(SplitByRegex(pattern, SplitBehavior::kIsolated, false));
  parts.decoder.push_back(ByteLevelDecoder());
  parts.parses_special = false;
  return parts;
}

// The special tokens that belong to known sets of ranks, which their programs have and the files have not.
void AddKnownSpecials(int64_t ranks, Tokenizer::Parts& parts) {
  const auto add = [&](int64_t id, std::string name) {
    parts.added.push_back({.id = static_cast<TokenId>(id), .content = std::move(name), .special = true});
  };
  if (ranks == 128'000) {  // LLaMA 3
    constexpr std::array<std::string_view, 11> kNamed = {"<|begin_of_text|>",
                                                         "<|end_of_text|>",
                                                         "",
                                                         "",
                                                         "<|finetune_right_pad_id|>",
                                                         "",
                                                         "<|start_header_id|>",
                                                         "<|end_header_id|>",
                                                         "<|eom_id|>",
                                                         "<|eot_id|>",
                                                         "<|python_tag|>"};
    int reserved = 0;
    for (size_t i = 0; i < 256; i++) {
      const bool named = i < kNamed.size() && !kNamed[i].empty();
      add(ranks + static_cast<int64_t>(i),
          named ? std::string(kNamed[i]) : fmt::format("<|reserved_special_token_{}|>", reserved++));
    }
    parts.special.bos = static_cast<TokenId>(ranks);
    parts.special.eos = static_cast<TokenId>(ranks + 1);
    parts.post_processor = SurroundingTokens(parts.special.bos, std::nullopt);
  } else if (ranks == 151'643) {  // Qwen
    add(ranks, "<|endoftext|>");
    add(ranks + 1, "<|im_start|>");
    add(ranks + 2, "<|im_end|>");
  } else if (ranks == 50'256) {  // GPT-2
    add(ranks, "<|endoftext|>");
  } else if (ranks == 100'256) {  // GPT-4
    add(ranks + 1, "<|endoftext|>");
  }
}

Result<Tokenizer::Parts> ReadRanks(std::string_view text) {
  auto pieces = std::make_shared<PieceTable>();
  const auto lines = static_cast<size_t>(std::ranges::count(text, '\n')) + 1;
  pieces->Reserve(lines, text.size());
  for (size_t number = 1; !text.empty(); number++) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const size_t space = line.find(' ');
    const auto bytes = DecodeBase64(line.substr(0, space));
    int64_t rank = -1;
    const std::string_view digits = space == std::string_view::npos ? "" : line.substr(space + 1);
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (!bytes || error != std::errc() || last != digits.data() + digits.size()) {
      return Fail(ErrorCode::kCorrupt, "line {}: expected bytes in base64 and a rank", number);
    }
    bool added = false;
    TRY_CONTEXT(fmt::format("line {}", number), pieces->Add(ToByteAlphabet(*bytes), rank, &added));
    if (!added) return Fail(ErrorCode::kCorrupt, "line {}: its bytes are there twice", number);
  }
  const size_t count = pieces->count();
  Tokenizer::Parts parts = TRY(FromRanks(std::move(pieces), PatternFor(count)));
  AddKnownSpecials(static_cast<int64_t>(count), parts);
  return parts;
}

bool LooksSpecial(std::string_view piece) {
  return piece.size() > 4 && piece.starts_with("<|") && piece.ends_with("|>");
}

Result<Tokenizer::Parts> ReadTekkenRoot(const JsonView& root) {
  const JsonView config = TRY(root.Need("config"));
  const int64_t size = TRY(TRY(config.Need("default_vocab_size")).Integer());
  const int64_t specials = TRY(TRY(config.Need("default_num_special_tokens")).Integer());
  if (specials < 0 || size < specials || size > (1 << 24)) return config.Wrong("sizes that make no sense");
  auto pieces = std::make_shared<PieceTable>();
  const JsonView vocabulary = TRY(root.Need("vocab"));
  const auto entries = TRY(vocabulary.Elements());
  pieces->Reserve(entries.size() + static_cast<size_t>(std::min<int64_t>(specials, 65536)), entries.size() * 8);
  for (const JsonView& entry : entries) {
    const int64_t rank = TRY(TRY(entry.Need("rank")).Integer());
    if (rank < 0 || rank >= size - specials) continue;  // the file has more than the model
    const auto bytes = DecodeBase64(TRY(entry.NeedString("token_bytes")));
    if (!bytes || bytes->empty()) return entry.Wrong("token_bytes are not base64");
    bool added = false;
    TRY_CONTEXT(entry.path(), pieces->Add(ToByteAlphabet(*bytes), rank + specials, &added));
    if (!added) return entry.Wrong("its bytes are there twice");
  }
  Tokenizer::Parts parts = TRY(FromRanks(std::move(pieces), TRY(config.NeedString("pattern"))));
  if (const auto list = root.Find("special_tokens")) {
    for (const JsonView& token : TRY(list->Elements())) {
      const int64_t id = TRY(TRY(token.Need("rank")).Integer());
      if (id < 0 || id >= specials) return token.Wrong("its rank is out of range");
      parts.added.push_back(
          {.id = static_cast<TokenId>(id), .content = TRY(token.NeedString("token_str")), .special = true});
    }
  } else {
    constexpr std::array<std::string_view, 10> kNames = {"<unk>",
                                                         "<s>",
                                                         "</s>",
                                                         "[INST]",
                                                         "[/INST]",
                                                         "[AVAILABLE_TOOLS]",
                                                         "[/AVAILABLE_TOOLS]",
                                                         "[TOOL_RESULTS]",
                                                         "[/TOOL_RESULTS]",
                                                         "[TOOL_CALLS]"};
    for (size_t i = 0; i < kNames.size() && static_cast<int64_t>(i) < specials; i++) {
      parts.added.push_back({.id = static_cast<TokenId>(i), .content = std::string(kNames[i]), .special = true});
    }
  }
  for (const AddedToken& token : parts.added) {
    if (token.content == "<s>") parts.special.bos = token.id;
    if (token.content == "</s>") parts.special.eos = token.id;
  }
  parts.post_processor = SurroundingTokens(parts.special.bos, std::nullopt);
  return parts;
}

}  // namespace

Result<Tokenizer::Parts> ReadTiktoken(std::string_view text, std::string_view file) {
  return TRY_CONTEXT(file, ReadRanks(text));
}

Result<Tokenizer::Parts> ReadEncoderJson(std::string_view text, std::string_view file) {
  const auto all = TRY(internal::ReadPieces(text, file));
  auto ordinary = std::make_shared<PieceTable>();
  ordinary->Reserve(all->count(), all->count() * 8);
  std::vector<AddedToken> added;
  for (size_t i = 0; i < all->size(); i++) {
    const auto id = static_cast<TokenId>(i);
    if (!all->Contains(id)) continue;
    const std::string_view piece = (*all)[id];
    if (LooksSpecial(piece)) {
      added.push_back({.id = id, .content = std::string(piece), .special = true});
    } else {
      TRY_CONTEXT(file, ordinary->Add(piece, id));
    }
  }
  const size_t count = ordinary->count();
  const std::string_view pattern = PatternFor(count);
  Tokenizer::Parts parts = TRY_CONTEXT(file, FromRanks(std::move(ordinary), pattern));
  parts.added = std::move(added);
  if (parts.added.empty()) AddKnownSpecials(static_cast<int64_t>(count), parts);
  for (const AddedToken& token : parts.added) {
    if (token.content == "<|begin_of_text|>") parts.special.bos = token.id;
  }
  parts.post_processor = SurroundingTokens(parts.special.bos, std::nullopt);
  return parts;
}

Result<Tokenizer::Parts> ReadTekken(std::string_view text, std::string_view file) {
  simdjson::dom::parser parser;
  const auto root = TRY(internal::ParseJson(parser, text, file));
  return TRY_CONTEXT(file, ReadTekkenRoot(root));
}

}  // namespace bothy
