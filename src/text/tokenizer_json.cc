#include "text/tokenizer_json.h"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "codec/json.h"
#include "text/bpe.h"
#include "text/json_view.h"
#include "text/space_cutter.h"
#include "text/unigram.h"
#include "text/wordpiece.h"

namespace bothy {
namespace {

constexpr size_t kMaxAffix = 64;  // what is put before or behind characters to look them up: "##", "</w>"

struct Model {
  std::shared_ptr<const PieceTable> pieces;
  std::unique_ptr<TokenModel> tokens;
  bool byte_level = false;
  PreTokenizerPtr cutter;  // cuts long texts where no token can reach across; may be null
};

// {"piece": id, ...}
Result<std::shared_ptr<PieceTable>> ReadPieceIds(const JsonView& vocabulary) {
  const auto object = TRY(vocabulary.Object());
  auto pieces = std::make_shared<PieceTable>();
  pieces->Reserve(object.size(), object.size() * 8);
  for (const auto member : object) {
    int64_t id = 0;
    if (member.value.get(id) != simdjson::SUCCESS) {
      return vocabulary.Wrong(fmt::format("the id of \"{}\" is no integer", member.key));
    }
    bool added = false;
    TRY_CONTEXT(vocabulary.path(), pieces->Add(member.key, id, &added));
    if (!added) return vocabulary.Wrong(fmt::format("\"{}\" is there twice", member.key));
  }
  return pieces;
}

Result<std::shared_ptr<PieceTable>> ReadVocabulary(const JsonView& json) {
  return ReadPieceIds(TRY(json.Need("vocab")));
}

// The id of the model's unknown token, which older files name although it is not in the vocabulary.
Result<std::optional<TokenId>> ReadUnknown(const JsonView& json, const PieceTable& pieces) {
  const auto unknown = json.Find("unk_token");
  if (!unknown) return std::nullopt;
  return pieces.Find(TRY(unknown->String()));
}

Result<std::string> ReadAffix(const JsonView& json, std::string_view key, std::string_view otherwise) {
  std::string affix = TRY(json.GetString(key, otherwise));
  if (affix.size() > kMaxAffix) {
    return json.Wrong(fmt::format("its {} has {} bytes, at most {} are read", key, affix.size(), kMaxAffix));
  }
  return affix;
}

Result<void> AddMerges(const JsonView& merges, BpeModel::Builder& builder) {
  size_t number = 0;
  const auto broken = [&](std::string_view problem) {
    return merges.Wrong(fmt::format("merge {}: {}", number, problem));
  };
  for (const simdjson::dom::element merge : TRY(merges.Array())) {
    std::string_view left, right;
    simdjson::dom::array pair;
    if (merge.get(left) == simdjson::SUCCESS) {
      const size_t space = left.find(' ');
      if (space == std::string_view::npos || left.find(' ', space + 1) != std::string_view::npos) {
        return broken("expected two tokens with a space between them");
      }
      right = left.substr(space + 1);
      left = left.substr(0, space);
    } else if (merge.get(pair) != simdjson::SUCCESS || pair.size() != 2 || pair.at(0).get(left) != simdjson::SUCCESS ||
               pair.at(1).get(right) != simdjson::SUCCESS) {
      return broken("expected two tokens");
    }
    if (const auto done = builder.AddMerge(left, right); !done) return broken(done.error().message);
    number++;
  }
  return {};
}

Result<Model> ReadBpe(const JsonView& json, bool words_are_bytes) {
  Model model;
  const std::shared_ptr<PieceTable> pieces = TRY(ReadVocabulary(json));
  BpeOptions options;
  options.byte_fallback = TRY(json.GetBool("byte_fallback", false));
  options.ignore_merges = TRY(json.GetBool("ignore_merges", false));
  options.fuse_unk = TRY(json.GetBool("fuse_unk", false));
  options.unk = TRY(ReadUnknown(json, *pieces));
  options.continuing_prefix = TRY(ReadAffix(json, "continuing_subword_prefix", ""));
  options.end_of_word_suffix = TRY(ReadAffix(json, "end_of_word_suffix", ""));
  options.byte_level = words_are_bytes && !options.byte_fallback && options.continuing_prefix.empty() &&
                       options.end_of_word_suffix.empty();
  model.byte_level = options.byte_level;
  if (!words_are_bytes && !options.ignore_merges && options.continuing_prefix.empty() &&
      options.end_of_word_suffix.empty()) {
    model.cutter = CutBeforeSpaceSymbols(*pieces);
  }
  const JsonView merges = TRY(json.Need("merges"));
  BpeModel::Builder builder(*pieces, std::move(options), TRY(merges.Array()).size());
  TRY(AddMerges(merges, builder));
  model.tokens = TRY(builder.Build());
  model.pieces = pieces;
  return model;
}

// A score as the reference's JSON reader takes it, which is at times one bit off: all digits as one integer, divided by
// a power of ten. Sums of scores that are equal but for rounding decide between ways to cut a text.
double ScoreAsReference(double score) {
  std::array<char, 40> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), score, std::chars_format::scientific).ptr;
  const std::string_view number(text.data(), static_cast<size_t>(end - text.data()));
  const size_t e = number.find('e');
  uint64_t digits = 0;
  int exponent = 0;
  for (const char c : number.substr(0, e)) {
    if (c < '0' || c > '9') continue;
    digits = digits * 10 + static_cast<uint64_t>(c - '0');
    exponent--;
  }
  std::string_view power = e == std::string_view::npos ? "" : number.substr(e + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  int written = 0;
  std::from_chars(power.data(), power.data() + power.size(), written);
  exponent += 1 + written;
  const double scale = std::stod("1e" + std::to_string(std::abs(exponent)));
  const double value = exponent < 0 ? static_cast<double>(digits) / scale : static_cast<double>(digits) * scale;
  return score < 0 ? -value : value;
}

// [["piece", score], ...], numbered in order.
Result<Model> ReadUnigram(const JsonView& json) {
  const JsonView vocabulary = TRY(json.Need("vocab"));
  const auto array = TRY(vocabulary.Array());
  auto pieces = std::make_shared<PieceTable>();
  pieces->Reserve(array.size(), array.size() * 8);
  std::vector<double> scores;
  for (const simdjson::dom::element element : array) {
    simdjson::dom::array pair;
    std::string_view text;
    double score = 0;
    if (element.get(pair) != simdjson::SUCCESS || pair.size() != 2 || pair.at(0).get(text) != simdjson::SUCCESS ||
        pair.at(1).get(score) != simdjson::SUCCESS) {
      return vocabulary.Wrong(fmt::format("token {}: expected a piece and its score", scores.size()));
    }
    TRY_CONTEXT(vocabulary.path(), pieces->Add(text, static_cast<int64_t>(scores.size())));
    scores.push_back(ScoreAsReference(score));
  }
  UnigramOptions options;
  if (const auto unk = json.Find("unk_id")) {
    const int64_t id = TRY(unk->Integer());
    if (!pieces->Contains(id)) return unk->Wrong(fmt::format("{} of {} tokens", id, scores.size()));
    options.unk = static_cast<TokenId>(id);
  }
  options.byte_fallback = TRY(json.GetBool("byte_fallback", false));
  for (uint32_t byte = 0; options.byte_fallback && byte < 256; byte++) {
    const auto id = pieces->Find(fmt::format("<0x{:02X}>", byte));
    options.byte_fallback = id.has_value();
    if (id) options.bytes[byte] = *id;
  }
  std::vector<UnigramPiece> list;
  for (size_t i = 0; i < scores.size(); i++) {
    const auto id = static_cast<TokenId>(i);
    list.push_back({(*pieces)[id], id, scores[i], false});
  }
  Model model;
  model.tokens = TRY_CONTEXT(vocabulary.path(), UnigramModel::Create(list, options));
  model.pieces = std::move(pieces);
  return model;
}

Result<Model> ReadWordPiece(const JsonView& json) {
  Model model;
  const std::shared_ptr<PieceTable> pieces = TRY(ReadVocabulary(json));
  WordPieceOptions options;
  options.unk = TRY(ReadUnknown(json, *pieces));
  options.continuing_prefix = TRY(ReadAffix(json, "continuing_subword_prefix", "##"));
  const int64_t most = TRY(json.GetInt("max_input_chars_per_word", 100));
  if (most < 0 || most > 1000) return json.Wrong(fmt::format("max_input_chars_per_word {} is not supported", most));
  options.max_characters = static_cast<size_t>(most);
  model.tokens = WordPieceModel(*pieces, std::move(options));
  model.pieces = pieces;
  return model;
}

Result<Model> ReadModel(const JsonView& json, bool words_are_bytes) {
  std::string type = TRY(json.GetString("type", ""));
  if (type.empty()) {  // as old files have it
    type = json.Find("merges")                      ? "BPE"
           : json.Find("unk_id")                    ? "Unigram"
           : json.Find("continuing_subword_prefix") ? "WordPiece"
                                                    : "WordLevel";
  }
  if (type == "BPE") return ReadBpe(json, words_are_bytes);
  if (type == "Unigram") return ReadUnigram(json);
  if (type == "WordPiece") return ReadWordPiece(json);
  if (type == "WordLevel") {
    Model model;
    const std::shared_ptr<PieceTable> pieces = TRY(ReadVocabulary(json));
    model.tokens = WordLevelModel(*pieces, TRY(ReadUnknown(json, *pieces)));
    model.pieces = pieces;
    return model;
  }
  return Fail(ErrorCode::kUnimplemented, "key \"model.type\": \"{}\" is not known", type);
}

Result<std::vector<AddedToken>> ReadAddedTokens(const JsonView& root, const PieceTable& pieces) {
  std::vector<AddedToken> tokens;
  const auto list = root.Find("added_tokens");
  if (!list) return tokens;
  for (const JsonView& json : TRY(list->Elements())) {
    AddedToken token;
    token.content = TRY(json.NeedString("content"));
    int64_t id = TRY(TRY(json.Need("id")).Integer());
    // A token of the vocabulary keeps its id there, whatever the list says: as in the reference.
    if (const auto known = pieces.Find(token.content)) id = *known;
    if (id < 0 || static_cast<uint64_t>(id) > 4 * (pieces.size() + tokens.size()) + 65536) {
      return json.Wrong(fmt::format("the id {} is out of range", id));
    }
    token.id = static_cast<TokenId>(id);
    token.single_word = TRY(json.GetBool("single_word", false));
    token.lstrip = TRY(json.GetBool("lstrip", false));
    token.rstrip = TRY(json.GetBool("rstrip", false));
    token.normalized = TRY(json.GetBool("normalized", true));
    token.special = TRY(json.GetBool("special", false));
    if (!token.content.empty()) tokens.push_back(std::move(token));
  }
  return tokens;
}

Result<Tokenizer::Parts> ReadRoot(const JsonView& root) {
  Tokenizer::Parts parts;
  internal::PreTokenizerSteps steps;
  if (const auto json = root.Find("pre_tokenizer")) steps = TRY(internal::ReadPreTokenizer(*json));
  Model model = TRY(ReadModel(TRY(root.Need("model")), steps.ends_in_bytes));
  if (steps.ends_in_bytes && !model.byte_level) steps.steps.push_back(ToBytesAlphabet());
  if (model.cutter != nullptr) steps.steps.push_back(std::move(model.cutter));
  if (!steps.steps.empty()) parts.pre_tokenizer = PreTokenizerSequence(std::move(steps.steps));
  parts.vocabulary = std::move(model.pieces);
  parts.model = std::move(model.tokens);
  parts.added = TRY(ReadAddedTokens(root, *parts.vocabulary));
  if (const auto json = root.Find("normalizer")) parts.normalizer = TRY(internal::ReadNormalizer(*json));
  if (const auto json = root.Find("post_processor")) parts.post_processor = TRY(internal::ReadPostProcessor(*json));
  if (const auto json = root.Find("decoder")) {
    parts.decoder = TRY(internal::ReadDecoder(*json));
  } else {
    parts.decoder.push_back(JoinDecoder(" "));
  }
  return parts;
}

}  // namespace

namespace internal {

Result<JsonView> ParseJson(simdjson::dom::parser& parser, std::string_view text, std::string_view file) {
  simdjson::dom::element root;
  if (const auto error = parser.parse(text.data(), text.size()).get(root); error != simdjson::SUCCESS) {
    // The other reader says where.
    const auto read = json::Parse(text, file);
    if (!read) return tl::unexpected<Error>(read.error());
    return Fail(ErrorCode::kCorrupt, "{}: {}", file, simdjson::error_message(error));
  }
  if (!root.is_object()) return Fail(ErrorCode::kCorrupt, "{}: expected an object", file);
  return JsonView(root, "");
}

Result<std::shared_ptr<PieceTable>> ReadPieces(std::string_view text, std::string_view file) {
  simdjson::dom::parser parser;
  const JsonView root = TRY(ParseJson(parser, text, file));
  return TRY_CONTEXT(file, ReadPieceIds(root));
}

}  // namespace internal

Result<Tokenizer::Parts> ReadTokenizerJson(std::string_view text, std::string_view file) {
  simdjson::dom::parser parser;
  const JsonView root = TRY(internal::ParseJson(parser, text, file));
  return TRY_CONTEXT(file, ReadRoot(root));
}

}  // namespace bothy
