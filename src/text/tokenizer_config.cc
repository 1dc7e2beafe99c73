#include "text/tokenizer_config.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "codec/json.h"

namespace bothy {
namespace {

constexpr uint64_t kMaxConfig = 64 << 20;  // added tokens make some of them a megabyte long
constexpr uint64_t kMaxTemplate = 4 << 20;

// A token is its text or an object with it.
Result<std::optional<std::string>> ReadToken(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (const json::object* token = value->if_object()) return json::GetString(*token, "content");
  return json::GetString(from, key);
}

Result<void> ReadSpecialTokens(const json::object& from, TokenizerConfig& config) {
  struct Member {
    std::string_view key;
    std::optional<std::string>* token;
  };
  const std::array members = {Member{"bos_token", &config.bos},  Member{"eos_token", &config.eos},
                              Member{"unk_token", &config.unk},  Member{"pad_token", &config.pad},
                              Member{"sep_token", &config.sep},  Member{"cls_token", &config.cls},
                              Member{"mask_token", &config.mask}};
  for (const Member& member : members) {
    if (!*member.token) *member.token = TRY(ReadToken(from, member.key));
  }
  for (const std::string_view key : {"additional_special_tokens", "extra_special_tokens"}) {
    const json::array* list = json::FindArray(from, key);
    if (list == nullptr) continue;
    for (const json::value& value : *list) {
      const json::object* token = value.if_object();
      const json::value* text = token != nullptr ? token->if_contains("content") : &value;
      if (text != nullptr && text->is_string()) config.additional_special_tokens.emplace_back(text->get_string());
    }
  }
  return {};
}

// {"151643": {"content": "<|endoftext|>", ...}, ...}
Result<void> ReadAddedTokens(const json::object& from, TokenizerConfig& config) {
  const json::object* list = json::FindObject(from, "added_tokens_decoder");
  if (list == nullptr) return {};
  for (const auto& member : *list) {
    AddedToken token;
    const std::string_view key = member.key();
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token.id);
    const json::object* value = member.value().if_object();
    if (error != std::errc() || end != key.data() + key.size() || token.id < 0 || value == nullptr) {
      return Fail(ErrorCode::kCorrupt, "key \"added_tokens_decoder.{}\": expected a token and its id", key);
    }
    const auto get = [value](std::string_view name) -> Result<bool> {
      return TRY(json::GetBool(*value, name)).value_or(false);
    };
    token.content = TRY(json::GetString(*value, "content")).value_or("");
    token.single_word = TRY(get("single_word"));
    token.lstrip = TRY(get("lstrip"));
    token.rstrip = TRY(get("rstrip"));
    token.normalized = TRY(get("normalized"));
    token.special = TRY(get("special"));
    if (!token.content.empty()) config.added_tokens.push_back(std::move(token));
  }
  return {};
}

// A string, or a list of {"name", "template"}.
Result<void> ReadChatTemplates(const json::object& from, TokenizerConfig& config) {
  if (!config.chat_templates.empty()) return {};
  const json::array* list = json::FindArray(from, "chat_template");
  if (list == nullptr) {
    if (auto text = TRY(json::GetString(from, "chat_template"))) {
      config.chat_templates.emplace_back("default", *std::move(text));
    }
    return {};
  }
  for (const json::value& value : *list) {
    const json::object* entry = value.if_object();
    if (entry == nullptr) return Fail(ErrorCode::kCorrupt, "key \"chat_template\": expected names and templates");
    auto name = TRY(json::GetString(*entry, "name"));
    auto text = TRY(json::GetString(*entry, "template"));
    if (!name || !text) return Fail(ErrorCode::kCorrupt, "key \"chat_template\": a template without name or text");
    config.chat_templates.emplace_back(*std::move(name), *std::move(text));
  }
  return {};
}

Result<void> ReadConfigFile(const json::object& file, TokenizerConfig& config) {
  config.tokenizer_class = TRY(json::GetString(file, "tokenizer_class")).value_or("");
  if (config.tokenizer_class.ends_with("Fast")) config.tokenizer_class.resize(config.tokenizer_class.size() - 4);
  config.add_bos_token = TRY(json::GetBool(file, "add_bos_token"));
  config.add_eos_token = TRY(json::GetBool(file, "add_eos_token"));
  config.add_prefix_space = TRY(json::GetBool(file, "add_prefix_space"));
  config.legacy = TRY(json::GetBool(file, "legacy"));
  config.do_lower_case = TRY(json::GetBool(file, "do_lower_case"));
  TRY(ReadSpecialTokens(file, config));
  TRY(ReadAddedTokens(file, config));
  return ReadChatTemplates(file, config);
}

// {"<|im_start|>": 151644, ...}, of old folders.
Result<void> ReadOldAddedTokens(const json::object& file, TokenizerConfig& config) {
  if (!config.added_tokens.empty()) return {};
  for (const auto& member : file) {
    boost::json::error_code error;
    const auto id = member.value().to_number<TokenId>(error);
    if (error || id < 0) return Fail(ErrorCode::kCorrupt, "key \"{}\": expected an id", std::string_view(member.key()));
    config.added_tokens.push_back({.id = id, .content = member.key(), .normalized = true});
  }
  return {};
}

// Reads one JSON file of the folder, where it is there.
template <class Take>
Result<void> WithFile(const Folder& folder, std::string_view file, TokenizerConfig& config, Take take) {
  const auto object = TRY(folder.ReadObject(file, kMaxConfig));
  if (!object) return {};
  const std::string name = folder.name() + "/" + std::string(file);
  TRY_CONTEXT(name, take(*object, config));
  return {};
}

std::optional<TokenId> FindIn(const Tokenizer::Parts& parts, std::string_view text) {
  const auto added = std::ranges::find(parts.added, text, &AddedToken::content);
  if (added != parts.added.end()) return added->id;
  return parts.vocabulary->Find(text);
}

// The list of added tokens, as it grows, and where in it each is: configs add some hundred thousand.
class AddedList {
 public:
  static Result<AddedList> Create(Tokenizer::Parts& parts) {
    AddedList list(parts);
    for (size_t i = 0; i < parts.added.size(); i++) {
      TRY(list.index_.Add(parts.added[i].content, static_cast<int64_t>(i)));
    }
    return list;
  }

  AddedToken* Find(std::string_view content) {
    const auto at = index_.Find(content);
    return at ? &parts_.added[static_cast<size_t>(*at)] : nullptr;
  }

  Result<void> Add(AddedToken token) {
    TRY(index_.Add(token.content, static_cast<int64_t>(parts_.added.size())));
    parts_.added.push_back(std::move(token));
    return {};
  }

  // Makes a token special, in whatever place it is; a text that is no token stays one.
  Result<std::optional<TokenId>> MarkSpecial(const std::string& text) {
    if (text.empty()) return std::nullopt;
    if (AddedToken* added = Find(text)) {
      added->special = true;
      return added->id;
    }
    const auto id = parts_.vocabulary->Find(text);
    if (id) TRY(Add({.id = *id, .content = text, .special = true}));
    return id;
  }

 private:
  explicit AddedList(Tokenizer::Parts& parts) : parts_(parts) {}

  Tokenizer::Parts& parts_;
  PieceTable index_;
};

// Pieces that end an answer in chat formats, whichever of them the files name as the end.
constexpr std::array<std::string_view, 17> kEnds = {"<|eot_id|>",
                                                    "<|im_end|>",
                                                    "<|end|>",
                                                    "<|return|>",
                                                    "<|call|>",
                                                    "<end_of_turn>",
                                                    "<|endoftext|>",
                                                    "<|eom_id|>",
                                                    "<EOT>",
                                                    "_<EOT>",
                                                    "[EOT]",
                                                    "[EOS]",
                                                    "<|end_of_text|>",
                                                    "<end_of_utterance>",
                                                    "<｜end▁of▁sentence｜>",
                                                    "<|endofturn|>",
                                                    "<|end_of_role|>"};
constexpr std::array<std::string_view, 6> kBos = {"<s>",   "<|begin_of_text|>",      "<bos>", "<|startoftext|>",
                                                  "[BOS]", "<｜begin▁of▁sentence｜>"};
constexpr std::array<std::string_view, 7> kEos = {
    "</s>", "<|end_of_text|>", "<eos>", "<|im_end|>", "<|endoftext|>", "[EOS]", "<｜end▁of▁sentence｜>"};
constexpr std::array<std::string_view, 2> kUnk = {"<unk>", "[UNK]"};
constexpr std::array<std::string_view, 3> kPad = {"<pad>", "[PAD]", "<｜▁pad▁｜>"};

template <size_t n>
void FindFirst(const Tokenizer::Parts& parts, const std::array<std::string_view, n>& names,
               std::optional<TokenId>& token) {
  for (const std::string_view name : names) {
    if (!token) token = FindIn(parts, name);
  }
}

}  // namespace

Result<TokenizerConfig> ReadTokenizerConfig(const Folder& folder) {
  TokenizerConfig config;
  if (folder.Has("chat_template.jinja")) {  // newer than the config's own
    const auto source = TRY(folder.Open("chat_template.jinja"));
    config.chat_templates.emplace_back("default", TRY(source->ReadAll(kMaxTemplate)));
  }
  TRY(WithFile(folder, "tokenizer_config.json", config, ReadConfigFile));
  TRY(WithFile(folder, "special_tokens_map.json", config, ReadSpecialTokens));
  TRY(WithFile(folder, "added_tokens.json", config, ReadOldAddedTokens));
  TRY(WithFile(folder, "chat_template.json", config, ReadChatTemplates));
  return config;
}

Result<void> ApplyConfig(const TokenizerConfig& config, Tokenizer::Parts& parts) {
  AddedList list = TRY(AddedList::Create(parts));
  for (const AddedToken& token : config.added_tokens) {
    if (AddedToken* known = list.Find(token.content)) {
      known->special = known->special || token.special;
      continue;
    }
    // A token of the vocabulary keeps its id there.
    AddedToken added = token;
    if (const auto id = parts.vocabulary->Find(token.content)) {
      added.id = *id;
    } else if (parts.vocabulary->Contains(token.id)) {
      return Fail(ErrorCode::kCorrupt, "tokens \"{}\" and \"{}\" both have the id {}", (*parts.vocabulary)[token.id],
                  token.content, token.id);
    }
    if (static_cast<size_t>(added.id) > 4 * (parts.vocabulary->size() + parts.added.size()) + 65536) {
      return Fail(ErrorCode::kCorrupt, "token \"{}\": id {} is out of range", token.content, added.id);
    }
    TRY(list.Add(std::move(added)));
  }
  SpecialTokens& special = parts.special;
  const auto take = [&](const std::optional<std::string>& text, std::optional<TokenId>& token) -> Result<void> {
    if (!text) return {};
    if (const auto id = TRY(list.MarkSpecial(*text))) token = id;
    return {};
  };
  TRY(take(config.bos, special.bos));
  TRY(take(config.eos, special.eos));
  TRY(take(config.unk, special.unk));
  TRY(take(config.pad, special.pad));
  TRY(take(config.sep, special.sep));
  TRY(take(config.cls, special.cls));
  TRY(take(config.mask, special.mask));
  for (const std::string& text : config.additional_special_tokens) TRY(list.MarkSpecial(text));
  if (config.add_bos_token || config.add_eos_token) {
    auto trims = std::move(parts.post_processor.trims);
    parts.post_processor = SurroundingTokens(config.add_bos_token.value_or(false) ? special.bos : std::nullopt,
                                             config.add_eos_token.value_or(false) ? special.eos : std::nullopt);
    parts.post_processor.trims = std::move(trims);
  }
  return {};
}

void FindWellKnownTokens(Tokenizer::Parts& parts) {
  SpecialTokens& special = parts.special;
  const std::vector<TemplatePiece>& single = parts.post_processor.single;
  if (!special.bos && !single.empty() && single.front().kind == TemplatePiece::Kind::kSpecial) {
    special.bos = single.front().id;
  }
  FindFirst(parts, kBos, special.bos);
  FindFirst(parts, kEos, special.eos);
  FindFirst(parts, kUnk, special.unk);
  FindFirst(parts, kPad, special.pad);
  std::vector<TokenId>& ends = special.end_of_generation;
  if (special.eos) ends.push_back(*special.eos);
  for (const AddedToken& token : parts.added) {
    if (std::ranges::find(kEnds, token.content) != kEnds.end()) ends.push_back(token.id);
  }
  std::ranges::sort(ends);
  const auto repeated = std::ranges::unique(ends);
  ends.erase(repeated.begin(), repeated.end());
}

}  // namespace bothy
