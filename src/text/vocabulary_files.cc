#include "text/vocabulary_files.h"

#include <charconv>
#include <utility>

#include "text/bpe.h"
#include "text/json_view.h"
#include "text/split_patterns.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"
#include "text/wordpiece.h"

namespace bothy {
namespace {

// Takes the next line of `text`, without its end.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<void> AddMergeLines(std::string_view text, BpeModel::Builder& builder) {
  for (size_t number = 1; !text.empty(); number++) {
    const std::string_view line = TakeLine(text);
    if (line.empty() || line.starts_with("#version")) continue;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      return Fail(ErrorCode::kCorrupt, "line {}: expected two tokens with a space between them", number);
    }
    TRY_CONTEXT(fmt::format("line {}", number), builder.AddMerge(line.substr(0, space), line.substr(space + 1)));
  }
  return {};
}

void AddByteLevelSteps(std::vector<PreTokenizerPtr> steps, Tokenizer::Parts& parts) {
  parts.pre_tokenizer = PreTokenizerSequence(std::move(steps));
  parts.decoder.push_back(ByteLevelDecoder());
}

// CLIP's: small letters, no white space, words that end in </w>.
Result<void> MakeClip(Tokenizer::Parts& parts) {
  std::vector<NormalizerPtr> normalizers;
  normalizers.push_back(UnicodeNormalizer(UnicodeForm::kNfc));
  normalizers.push_back(TRY(ReplaceRegexNormalizer(R"(\s+)", " ")));
  normalizers.push_back(LowercaseNormalizer());
  parts.normalizer = NormalizerSequence(std::move(normalizers));
  std::vector<PreTokenizerPtr> steps;
  steps.push_back(TRY(SplitByRegex(kClipPattern, SplitBehavior::kRemoved, true)));
  steps.push_back(TRY(SplitByRegex(kGpt2Pattern, SplitBehavior::kIsolated, false)));
  steps.push_back(ToBytesAlphabet());
  AddByteLevelSteps(std::move(steps), parts);
  parts.decoder.push_back(ReplaceDecoder("</w>", " "));
  parts.decoder.push_back(TrimDecoder());
  return {};
}

Result<void> MakeGpt2(std::string_view pattern, bool prefix_space, Tokenizer::Parts& parts) {
  std::vector<PreTokenizerPtr> steps;
  if (prefix_space) steps.push_back(AddPrefixSpace());
  steps.push_back(TRY(SplitByRegex(pattern, SplitBehavior::kIsolated, false)));
  AddByteLevelSteps(std::move(steps), parts);
  return {};
}

// <s> text </s>, and the same for a pair with </s></s> between.
void SurroundLikeRoberta(std::optional<TokenId> before, std::optional<TokenId> after, PostProcessor& post) {
  using Kind = TemplatePiece::Kind;
  if (!before || !after) return;
  post.single = {{Kind::kSpecial, *before, 0}, {Kind::kFirst, 0, 0}, {Kind::kSpecial, *after, 0}};
  post.pair = post.single;
  for (const TemplatePiece piece : {TemplatePiece{Kind::kSpecial, *after, 0}, TemplatePiece{Kind::kSecond, 0, 0},
                                    TemplatePiece{Kind::kSpecial, *after, 0}}) {
    post.pair.push_back(piece);
  }
  post.only_with_special_tokens = true;
}

void AddSpecial(std::string_view text, Tokenizer::Parts& parts, std::optional<TokenId>& token) {
  const auto id = parts.vocabulary->Find(text);
  if (!id) return;
  token = id;
  for (AddedToken& added : parts.added) {
    if (added.id == *id) return;
  }
  parts.added.push_back({.id = *id, .content = std::string(text), .special = true});
}

bool IsRobertaLike(std::string_view name) {
  return name == "RobertaTokenizer" || name == "BartTokenizer" || name == "LongformerTokenizer" ||
         name == "LEDTokenizer" || name == "BlenderbotTokenizer" || name == "MvpTokenizer";
}

}  // namespace

Result<Tokenizer::Parts> ReadVocabAndMerges(std::string_view vocab, std::string_view merges,
                                            const TokenizerConfig& config, std::string_view file) {
  Tokenizer::Parts parts;
  const auto pieces = TRY(internal::ReadPieces(vocab, file));
  parts.vocabulary = pieces;
  const std::string_view name = config.tokenizer_class;
  const bool clip = name == "CLIPTokenizer" || (name.empty() && pieces->Find("</w>").has_value()) ||
                    (name.empty() && pieces->Find("the</w>").has_value());
  BpeOptions options;
  options.byte_level = !clip;
  if (clip) {
    options.end_of_word_suffix = "</w>";
    options.unk = pieces->Find(config.unk.value_or("<|endoftext|>"));
  }
  BpeModel::Builder builder(*pieces, options, static_cast<size_t>(std::ranges::count(merges, '\n')));
  TRY_CONTEXT(file, AddMergeLines(merges, builder));
  parts.model = TRY(builder.Build());
  SpecialTokens& special = parts.special;
  if (clip) {
    TRY(MakeClip(parts));
    AddSpecial("<|startoftext|>", parts, special.bos);
    AddSpecial("<|endoftext|>", parts, special.eos);
    SurroundLikeRoberta(special.bos, special.eos, parts.post_processor);
  } else if (name == "Qwen2Tokenizer") {
    parts.normalizer = UnicodeNormalizer(UnicodeForm::kNfc);
    TRY(MakeGpt2(kQwen2Pattern, config.add_prefix_space.value_or(false), parts));
    AddSpecial("<|endoftext|>", parts, special.eos);
  } else {
    TRY(MakeGpt2(kGpt2Pattern, config.add_prefix_space.value_or(false), parts));
    if (IsRobertaLike(name)) {
      AddSpecial("<s>", parts, special.bos);
      AddSpecial("</s>", parts, special.eos);
      AddSpecial("<pad>", parts, special.pad);
      AddSpecial("<unk>", parts, special.unk);
      AddSpecial("<mask>", parts, special.mask);
      SurroundLikeRoberta(special.bos, special.eos, parts.post_processor);
      parts.post_processor.trims.push_back({config.add_prefix_space.value_or(false)});
    } else {
      AddSpecial("<|endoftext|>", parts, special.eos);
      special.bos = special.eos;
    }
  }
  return parts;
}

Result<Tokenizer::Parts> ReadWordPieceVocab(std::string_view text, const TokenizerConfig& config,
                                            std::string_view file) {
  Tokenizer::Parts parts;
  auto pieces = std::make_shared<PieceTable>();
  const auto lines = static_cast<size_t>(std::ranges::count(text, '\n'));
  pieces->Reserve(lines + 1, text.size());
  if (const size_t bad = FindInvalidUtf8(text); bad != std::string_view::npos) {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: not valid UTF-8", file, bad);
  }
  for (int64_t id = 0; !text.empty(); id++) TRY_CONTEXT(file, pieces->Add(TakeLine(text), id));
  parts.vocabulary = pieces;

  const bool lowercase = config.do_lower_case.value_or(true);
  std::vector<NormalizerPtr> normalizers;
  normalizers.push_back(CleanTextNormalizer());
  normalizers.push_back(SpacedCjkNormalizer());
  if (lowercase) {
    normalizers.push_back(UnicodeNormalizer(UnicodeForm::kNfd));
    normalizers.push_back(StripAccentsNormalizer(true));
    normalizers.push_back(LowercaseNormalizer());
  }
  parts.normalizer = NormalizerSequence(std::move(normalizers));
  std::vector<PreTokenizerPtr> steps;
  steps.push_back(SplitWhitespace());
  steps.push_back(SplitPunctuation(SplitBehavior::kIsolated));
  parts.pre_tokenizer = PreTokenizerSequence(std::move(steps));

  SpecialTokens& special = parts.special;
  AddSpecial(config.unk.value_or("[UNK]"), parts, special.unk);
  AddSpecial(config.sep.value_or("[SEP]"), parts, special.sep);
  AddSpecial(config.cls.value_or("[CLS]"), parts, special.cls);
  AddSpecial(config.pad.value_or("[PAD]"), parts, special.pad);
  AddSpecial(config.mask.value_or("[MASK]"), parts, special.mask);
  parts.model = WordPieceModel(*pieces, {.unk = special.unk});
  parts.decoder.push_back(WordPieceDecoder("##", true));
  if (special.cls && special.sep) {
    using Kind = TemplatePiece::Kind;
    PostProcessor& post = parts.post_processor;
    post.single = {{Kind::kSpecial, *special.cls, 0}, {Kind::kFirst, 0, 0}, {Kind::kSpecial, *special.sep, 0}};
    post.pair = post.single;
    post.pair.push_back({Kind::kSecond, 0, 1});
    post.pair.push_back({Kind::kSpecial, *special.sep, 1});
  }
  return parts;
}

}  // namespace bothy
