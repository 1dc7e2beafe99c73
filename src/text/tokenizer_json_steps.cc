#include <algorithm>
#include <array>
#include <utility>

#include "base/base64.h"
#include "text/json_view.h"
#include "text/split_patterns.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"

namespace bothy::internal {
namespace {

// Real files have fewer than ten steps and replace single characters.
constexpr size_t kMaxSteps = 100;
constexpr int kMaxDepth = 16;  // of sequences in sequences
constexpr size_t kMaxContent = 4096;
constexpr int64_t kMaxStripped = 1024;
constexpr size_t kMaxGrowth = 256;  // of a token in all steps of a decoder together; real ones shrink it

tl::unexpected<Error> UnknownType(const JsonView& json, std::string_view type) {
  return Fail(ErrorCode::kUnimplemented, "key \"{}.type\": \"{}\" is not known", json.path(), type);
}

// The members of a sequence one after the other, sequences in it resolved. `visit` gets each step's type.
template <class Visit>
Result<void> ForEachStep(const JsonView& json, std::string_view members, size_t& count, Visit visit, int depth = 0) {
  const std::string type = TRY(json.NeedString("type"));
  if (type != "Sequence") {
    if (++count > kMaxSteps) return json.Wrong("too many steps");
    return visit(json, type);
  }
  if (depth > kMaxDepth) return json.Wrong("sequences are nested too deeply");
  for (const JsonView& step : TRY(TRY(json.Need(members)).Elements())) {
    TRY(ForEachStep(step, members, count, visit, depth + 1));
  }
  return {};
}

Result<std::string> ShortString(const JsonView& json, std::string_view key) {
  const JsonView member = TRY(json.Need(key));
  const std::string_view text = TRY(member.String());
  if (text.size() > kMaxContent) return member.Wrong("too long");
  return std::string(text);
}

struct Pattern {
  bool is_regex = false;
  std::string text;
};

Result<Pattern> ReadPattern(const JsonView& json) {
  const JsonView pattern = TRY(json.Need("pattern"));
  if (pattern.Find("Regex")) return Pattern{true, TRY(pattern.NeedString("Regex"))};
  return Pattern{false, TRY(ShortString(pattern, "String"))};
}

Result<SplitBehavior> ReadBehavior(const JsonView& json, std::string_view otherwise) {
  struct Name {
    std::string_view name;
    SplitBehavior behavior;
  };
  constexpr std::array kNames = {Name{"Removed", SplitBehavior::kRemoved}, Name{"Isolated", SplitBehavior::kIsolated},
                                 Name{"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
                                 Name{"MergedWithNext", SplitBehavior::kMergedWithNext},
                                 Name{"Contiguous", SplitBehavior::kContiguous}};
  const std::string wanted = TRY(json.GetString("behavior", otherwise));
  for (const Name& name : kNames) {
    if (name.name == wanted) return name.behavior;
  }
  return json.Wrong(fmt::format("the behavior \"{}\" is not known", wanted));
}

// Steps of BERT's normalizer, each of which can be switched off.
Result<void> AddBertNormalizer(const JsonView& json, std::vector<NormalizerPtr>& steps) {
  const bool lowercase = TRY(json.GetBool("lowercase", true));
  if (TRY(json.GetBool("clean_text", true))) steps.push_back(CleanTextNormalizer());
  if (TRY(json.GetBool("handle_chinese_chars", true))) steps.push_back(SpacedCjkNormalizer());
  if (TRY(json.GetBool("strip_accents", lowercase))) {
    steps.push_back(UnicodeNormalizer(UnicodeForm::kNfd));
    steps.push_back(StripAccentsNormalizer(true));
  }
  if (lowercase) steps.push_back(LowercaseNormalizer());
  return {};
}

Result<void> AddNormalizer(const JsonView& json, std::string_view type, std::vector<NormalizerPtr>& steps) {
  const auto add = [&](NormalizerPtr step) -> Result<void> {
    steps.push_back(std::move(step));
    return {};
  };
  if (type == "NFC") return add(UnicodeNormalizer(UnicodeForm::kNfc));
  if (type == "NFD") return add(UnicodeNormalizer(UnicodeForm::kNfd));
  if (type == "NFKC") return add(UnicodeNormalizer(UnicodeForm::kNfkc));
  if (type == "NFKD") return add(UnicodeNormalizer(UnicodeForm::kNfkd));
  if (type == "Lowercase") return add(LowercaseNormalizer());
  if (type == "StripAccents") return add(StripAccentsNormalizer(false));
  if (type == "Strip") {
    return add(StripNormalizer(TRY(json.GetBool("strip_left", true)), TRY(json.GetBool("strip_right", true))));
  }
  if (type == "Prepend") return add(PrependNormalizer(TRY(ShortString(json, "prepend"))));
  if (type == "ByteLevel") return add(ByteLevelNormalizer());
  if (type == "Nmt") return add(NmtNormalizer());
  if (type == "BertNormalizer") return AddBertNormalizer(json, steps);
  if (type == "Precompiled") {
    const auto map = json.Find("precompiled_charsmap");
    if (!map) return {};
    const auto bytes = DecodeBase64(TRY(map->String()));
    if (!bytes) return map->Wrong("not base64");
    if (bytes->empty()) return {};
    return add(CharsmapNormalizer(TRY(Charsmap::Parse(*bytes))));
  }
  if (type == "Replace") {
    const Pattern pattern = TRY(ReadPattern(json));
    std::string content = TRY(ShortString(json, "content"));
    if (!pattern.is_regex) return add(ReplaceNormalizer(pattern.text, std::move(content)));
    return add(TRY_CONTEXT(json.path(), ReplaceRegexNormalizer(pattern.text, std::move(content))));
  }
  return UnknownType(json, type);
}

// "▁", and whether it is put before a text; files of all ages say so in one of three ways.
Result<PrependScheme> ReadPrependScheme(const JsonView& json) {
  const std::string scheme = TRY(json.GetString("prepend_scheme", ""));
  if (scheme == "always") return PrependScheme::kAlways;
  if (scheme == "never") return PrependScheme::kNever;
  if (scheme == "first") return PrependScheme::kFirst;
  if (!scheme.empty()) return json.Wrong(fmt::format("the prepend_scheme \"{}\" is not known", scheme));
  return TRY(json.GetBool("add_prefix_space", true)) ? PrependScheme::kAlways : PrependScheme::kNever;
}

Result<std::string> ReadReplacement(const JsonView& json) {
  std::string replacement = TRY(json.GetString("replacement", "\xE2\x96\x81"));
  if (CountUtf8(replacement) != 1) return json.Wrong("the replacement is not one character");
  return replacement;
}

Result<void> AddPreTokenizer(const JsonView& json, std::string_view type, PreTokenizerSteps& out) {
  if (std::exchange(out.ends_in_bytes, false)) out.steps.push_back(ToBytesAlphabet());
  const auto add = [&](PreTokenizerPtr step) -> Result<void> {
    out.steps.push_back(std::move(step));
    return {};
  };
  if (type == "ByteLevel") {
    if (TRY(json.GetBool("add_prefix_space", true))) out.steps.push_back(AddPrefixSpace());
    if (TRY(json.GetBool("use_regex", true))) {
      out.steps.push_back(TRY(SplitByRegex(kGpt2Pattern, SplitBehavior::kIsolated, false)));
    }
    out.ends_in_bytes = true;
    return {};
  }
  if (type == "Split") {
    const Pattern pattern = TRY(ReadPattern(json));
    const SplitBehavior behavior = TRY(ReadBehavior(json, "Isolated"));
    const bool invert = TRY(json.GetBool("invert", false));
    if (!pattern.is_regex) return add(SplitByText(pattern.text, behavior, invert));
    return add(TRY_CONTEXT(json.path(), SplitByRegex(pattern.text, behavior, invert)));
  }
  if (type == "Digits") return add(SplitDigits(TRY(json.GetBool("individual_digits", false))));
  if (type == "Punctuation") return add(SplitPunctuation(TRY(ReadBehavior(json, "Isolated"))));
  if (type == "Whitespace") return add(SplitWords());
  if (type == "WhitespaceSplit") return add(SplitWhitespace());
  if (type == "BertPreTokenizer") {
    out.steps.push_back(SplitWhitespace());
    return add(SplitPunctuation(SplitBehavior::kIsolated));
  }
  if (type == "CharDelimiterSplit") {
    return add(SplitByText(TRY(ShortString(json, "delimiter")), SplitBehavior::kRemoved, false));
  }
  if (type == "Metaspace") {
    return add(Metaspace(TRY(ReadReplacement(json)), TRY(ReadPrependScheme(json)), TRY(json.GetBool("split", true))));
  }
  if (type == "UnicodeScripts") return add(TRY(SplitScripts()));
  if (type == "FixedLength") {
    const int64_t length = TRY(json.GetInt("length", 5));
    if (length < 1) return json.Wrong("the length is not positive");
    return add(SplitFixedLength(static_cast<size_t>(length)));
  }
  return UnknownType(json, type);
}

Result<TokenId> ReadId(const JsonView& json) {
  const int64_t id = TRY(json.Integer());
  if (id < 0 || id > INT32_MAX) return json.Wrong("the id is out of range");
  return static_cast<TokenId>(id);
}

// ["[SEP]", 102]
Result<TokenId> ReadNamedId(const JsonView& json, std::string_view key) {
  const JsonView pair = TRY(json.Need(key));
  const auto elements = TRY(pair.Elements());
  if (elements.size() != 2) return pair.Wrong("expected a token and its id");
  return ReadId(elements[1]);
}

Result<std::vector<TemplatePiece>> ReadTemplate(const JsonView& json, std::string_view key) {
  using Kind = TemplatePiece::Kind;
  std::vector<TemplatePiece> pieces;
  const auto list = json.Find(key);
  if (!list) return pieces;
  for (const JsonView& element : TRY(list->Elements())) {
    if (pieces.size() > kMaxSteps) return list->Wrong("too many pieces");
    const auto special = element.Find("SpecialToken");
    const JsonView piece = special ? *special : TRY(element.Need("Sequence"));
    const std::string name = TRY(piece.NeedString("id"));
    const auto type_id = static_cast<int32_t>(TRY(piece.GetInt("type_id", 0)));
    if (!special) {
      pieces.push_back({name == "B" ? Kind::kSecond : Kind::kFirst, 0, type_id});
      continue;
    }
    const JsonView token = TRY(TRY(json.Need("special_tokens")).Need(name));
    for (const JsonView& id : TRY(TRY(token.Need("ids")).Elements())) {
      pieces.push_back({Kind::kSpecial, TRY(ReadId(id)), type_id});
      if (pieces.size() > kMaxSteps) return list->Wrong("too many pieces");
    }
  }
  return pieces;
}

Result<void> AddPostProcessor(const JsonView& json, std::string_view type, PostProcessor& post) {
  using Kind = TemplatePiece::Kind;
  if (type == "ByteLevel") {
    if (TRY(json.GetBool("trim_offsets", true))) post.trims.push_back({TRY(json.GetBool("add_prefix_space", true))});
    return {};
  }
  if (type == "TemplateProcessing") {
    post.single = TRY(ReadTemplate(json, "single"));
    post.pair = TRY(ReadTemplate(json, "pair"));
    return {};
  }
  const bool roberta = type == "RobertaProcessing";
  if (!roberta && type != "BertProcessing") return UnknownType(json, type);
  const TokenId sep = TRY(ReadNamedId(json, "sep")), cls = TRY(ReadNamedId(json, "cls"));
  const int32_t second = roberta ? 0 : 1;
  post.single = {{Kind::kSpecial, cls, 0}, {Kind::kFirst, 0, 0}, {Kind::kSpecial, sep, 0}};
  post.pair = post.single;
  if (roberta) post.pair.push_back({Kind::kSpecial, sep, 0});
  post.pair.push_back({Kind::kSecond, 0, second});
  post.pair.push_back({Kind::kSpecial, sep, second});
  post.only_with_special_tokens = true;
  if (roberta && TRY(json.GetBool("trim_offsets", true))) {
    post.trims.push_back({TRY(json.GetBool("add_prefix_space", true))});
  }
  return {};
}

// How many times as long a step may make a token, at worst.
Result<size_t> GrowthOf(const JsonView& json, std::string_view type) {
  if (type != "Replace") return 1;
  const Pattern pattern = TRY(ReadPattern(json));
  const size_t content = TRY(ShortString(json, "content")).size();
  if (pattern.is_regex) return content + 1;  // matches may be empty
  const size_t replaced = pattern.text.size();
  return replaced == 0 ? 1 : std::max<size_t>(1, (content + replaced - 1) / replaced);
}

Result<DecodeStep> ReadDecodeStep(const JsonView& json, std::string_view type) {
  if (type == "ByteLevel") return ByteLevelDecoder();
  if (type == "ByteFallback") return ByteFallbackDecoder();
  if (type == "Fuse") return FuseDecoder();
  if (type == "WordPiece") {
    return WordPieceDecoder(TRY(json.GetString("prefix", "##")), TRY(json.GetBool("cleanup", true)));
  }
  if (type == "BPEDecoder") return EndOfWordDecoder(TRY(json.GetString("suffix", "</w>")));
  if (type == "Metaspace") {
    return MetaspaceDecoder(TRY(ReadReplacement(json)), TRY(ReadPrependScheme(json)) != PrependScheme::kNever);
  }
  if (type == "CTC") {
    return CtcDecoder(TRY(json.GetString("pad_token", "<pad>")), TRY(json.GetString("word_delimiter_token", "|")),
                      TRY(json.GetBool("cleanup", true)));
  }
  if (type == "Strip") {
    std::string content = TRY(ShortString(json, "content"));
    const int64_t start = TRY(json.GetInt("start", 0)), stop = TRY(json.GetInt("stop", 0));
    if (content.empty() || start < 0 || stop < 0 || start > kMaxStripped || stop > kMaxStripped) {
      return json.Wrong("nothing to strip, or too much");
    }
    return StripDecoder(std::move(content), static_cast<size_t>(start), static_cast<size_t>(stop));
  }
  if (type == "Replace") {
    const Pattern pattern = TRY(ReadPattern(json));
    std::string content = TRY(ShortString(json, "content"));
    if (!pattern.is_regex) return ReplaceDecoder(pattern.text, std::move(content));
    auto regex = TRY_CONTEXT(json.path(), Regex::Compile(pattern.text));
    return ReplaceRegexDecoder(std::make_shared<const Regex>(std::move(regex)), std::move(content));
  }
  return UnknownType(json, type);
}

}  // namespace

Result<NormalizerPtr> ReadNormalizer(const JsonView& json) {
  std::vector<NormalizerPtr> steps;
  size_t count = 0;
  TRY(ForEachStep(json, "normalizers", count,
                  [&](const JsonView& step, std::string_view type) { return AddNormalizer(step, type, steps); }));
  if (steps.empty()) return nullptr;
  if (steps.size() == 1) return std::move(steps[0]);
  return NormalizerSequence(std::move(steps));
}

Result<PreTokenizerSteps> ReadPreTokenizer(const JsonView& json) {
  PreTokenizerSteps steps;
  size_t count = 0;
  TRY(ForEachStep(json, "pretokenizers", count,
                  [&](const JsonView& step, std::string_view type) { return AddPreTokenizer(step, type, steps); }));
  return steps;
}

Result<PostProcessor> ReadPostProcessor(const JsonView& json) {
  PostProcessor post;
  size_t count = 0;
  TRY(ForEachStep(json, "processors", count,
                  [&](const JsonView& step, std::string_view type) { return AddPostProcessor(step, type, post); }));
  return post;
}

Result<std::vector<DecodeStep>> ReadDecoder(const JsonView& json) {
  std::vector<DecodeStep> steps;
  size_t count = 0, growth = 1;
  TRY(ForEachStep(json, "decoders", count, [&](const JsonView& step, std::string_view type) -> Result<void> {
    steps.push_back(TRY(ReadDecodeStep(step, type)));
    growth *= TRY(GrowthOf(step, type));
    if (growth > kMaxGrowth) {
      return Fail(ErrorCode::kResourceExhausted, "key \"{}\": the steps make tokens more than {} times as long",
                  json.path(), kMaxGrowth);
    }
    return {};
  }));
  return steps;
}

}  // namespace bothy::internal
