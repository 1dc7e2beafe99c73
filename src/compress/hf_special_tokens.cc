#include "compress/hf_special_tokens.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace bothy {
namespace {

// What a token is called in config.json and in GGUF's keys.
struct Role {
  std::string_view name;
  std::string_view gguf;
};
constexpr std::array<Role, 8> kRoles = {{{"bos", "bos"},
                                         {"eos", "eos"},
                                         {"unk", "unknown"},
                                         {"sep", "seperator"},  // so the format spells it
                                         {"pad", "padding"},
                                         {"mask", "mask"},
                                         {"eot", "eot"},
                                         {"eom", "eom"}}};

std::string_view StringOf(const json::value* value) {
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

std::string_view StringIn(const json::object& from, std::string_view key) { return StringOf(from.if_contains(key)); }

// tokenizer_config.json has a token as a string, or as an object with its content.
std::string TokenIn(const json::object& config, std::string_view role) {
  const std::string key = fmt::format("{}_token", role);
  const json::object* object = json::FindObject(config, key);
  return std::string(object != nullptr ? StringIn(*object, "content") : StringIn(config, key));
}

// The token of a step of a template; empty where the step is a text.
std::string_view SpecialOf(const json::value& step) {
  const json::object* special = step.is_object() ? json::FindObject(step.get_object(), "SpecialToken") : nullptr;
  return special != nullptr ? StringIn(*special, "id") : std::string_view();
}

std::string_view SequenceOf(const json::value& step) {
  const json::object* sequence = step.is_object() ? json::FindObject(step.get_object(), "Sequence") : nullptr;
  return sequence != nullptr ? StringIn(*sequence, "id") : std::string_view();
}

class SpecialTokens {
 public:
  explicit SpecialTokens(const json::object& tokenizer_config) {
    for (const Role& role : kRoles) TokenOf(role.name) = TokenIn(tokenizer_config, role.name);
    const std::string cls = TokenIn(tokenizer_config, "cls");
    if (TokenOf("bos").empty()) TokenOf("bos") = cls;
    if (TokenOf("eos").empty()) TokenOf("eos") = TokenOf("sep");
  }

  // What the post-processor of tokenizer.json puts around a text says which tokens begin and end it.
  void ReadPostProcessor(const json::object& processor) {
    if (const json::array* parts = json::FindArray(processor, "processors")) {
      for (const json::value& part : *parts) {
        if (part.is_object()) ReadOne(part.get_object());
      }
    } else {
      ReadOne(processor);
    }
  }

  // "add_bos_token" and its like count where the post-processor said nothing.
  void ReadFlags(const json::object& tokenizer_config) {
    for (const std::string_view role : {"bos", "eos", "sep"}) {
      const json::value* flag = tokenizer_config.if_contains(fmt::format("add_{}_token", role));
      std::optional<bool>& add = AddOf(role);
      if (flag != nullptr && flag->is_bool() && !add) add = flag->get_bool();
    }
  }

  void Write(const json::array& added_tokens, const json::object& config, uint64_t rows, GgufMetadata& metadata) {
    for (const Role& role : kRoles) {
      std::optional<int64_t> id = Find(added_tokens, TokenOf(role.name));
      // A list of ids (several ends) is no id.
      const json::value* number = config.if_contains(fmt::format("{}_token_id", role.name));
      if (!id && number != nullptr && number->is_int64()) id = number->get_int64();
      if (id && *id >= 0 && static_cast<uint64_t>(*id) < rows) {
        metadata.Set(fmt::format("tokenizer.ggml.{}_token_id", role.gguf), GgufValue::U32(static_cast<uint32_t>(*id)));
      }
    }
    for (const std::string_view role : {"bos", "eos", "sep"}) {
      if (AddOf(role)) metadata.Set(fmt::format("tokenizer.ggml.add_{}_token", role), GgufValue::Bool(*AddOf(role)));
    }
  }

 private:
  static size_t IndexOf(std::string_view role) {
    return static_cast<size_t>(std::ranges::find(kRoles, role, &Role::name) - kRoles.begin());
  }
  std::string& TokenOf(std::string_view role) { return tokens_[IndexOf(role)]; }
  std::optional<bool>& AddOf(std::string_view role) { return add_[IndexOf(role)]; }

  static std::optional<int64_t> Find(const json::array& added_tokens, std::string_view content) {
    if (content.empty()) return std::nullopt;
    for (const json::value& token : added_tokens) {
      if (!token.is_object() || StringIn(token.get_object(), "content") != content) continue;
      const json::value* id = token.get_object().if_contains("id");
      if (id != nullptr && id->is_int64()) return id->get_int64();
      return std::nullopt;
    }
    return std::nullopt;
  }

  void ReadOne(const json::object& processor) {
    const std::string_view type = StringIn(processor, "type");
    if (type == "ByteLevel") {
      for (const std::string_view role : {"bos", "eos"}) {
        if (!AddOf(role)) AddOf(role) = false;
      }
    } else if (type == "RobertaProcessing") {
      for (const std::string_view role : {"bos", "eos", "sep"}) AddOf(role) = true;
    } else if (type == "TemplateProcessing") {
      ReadTemplate(processor);
    }
  }

  void ReadTemplate(const json::object& processor) {
    static const json::array kNone;
    const json::array* found = json::FindArray(processor, "single");
    const json::array& single = found != nullptr ? *found : kNone;
    std::string first, last;
    if (single.size() > 1) {
      first = SpecialOf(single.front());
      last = SpecialOf(single.back());
      if (!first.empty()) {
        if (TokenOf("bos").empty()) TokenOf("bos") = first;
        AddOf("bos") = first == TokenOf("bos");
      }
      if (!last.empty()) {
        // The configured end is then that of a turn.
        if (last != TokenOf("eos")) TokenOf(TokenOf("eot").empty() ? "eot" : "eom") = TokenOf("eos");
        TokenOf("eos") = last;
        AddOf("eos") = true;
      }
    }
    const json::array* pair = json::FindArray(processor, "pair");
    if (pair != nullptr) ReadPair(*pair, first, last);
  }

  // Of "begin, A, separators, B, end" whether there are separators.
  void ReadPair(const json::array& pair, std::string_view first, std::string_view last) {
    size_t begin = 0;
    size_t end = pair.size();
    if (begin < end && !first.empty() && SpecialOf(pair[begin]) == first) begin++;
    if (begin < end && !last.empty() && SpecialOf(pair[end - 1]) == last) end--;
    if (end - begin < 3 || SequenceOf(pair[begin]) != "A" || SequenceOf(pair[end - 1]) != "B") return;
    const auto separates = [&](size_t i) {
      const std::string_view token = SpecialOf(pair[i]);
      return !token.empty() && (token == TokenOf("sep") || token == TokenOf("eos"));
    };
    bool add = last.empty() && separates(begin + 1);
    if (end - begin == 4) add = add || separates(begin + 2);
    AddOf("sep") = add;
    if (add && TokenOf("sep").empty()) TokenOf("sep") = TokenOf("eos");
  }

  std::array<std::string, kRoles.size()> tokens_;
  std::array<std::optional<bool>, kRoles.size()> add_;
};

// Names of templates become parts of keys.
std::string KeyName(std::string_view name) {
  std::string key(name);
  for (char& c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain) c = '_';
  }
  return key;
}

// One template, or several with names, of which "default" is the one.
void WriteTemplate(const json::value& chat_template, GgufMetadata& metadata) {
  if (chat_template.is_string()) {
    metadata.Set("tokenizer.chat_template", GgufValue::String(std::string(chat_template.get_string())));
    return;
  }
  if (!chat_template.is_array()) return;
  std::vector<std::string> names;
  for (const json::value& choice : chat_template.get_array()) {
    if (!choice.is_object()) continue;
    const std::string name = KeyName(StringIn(choice.get_object(), "name"));
    const json::value* text = choice.get_object().if_contains("template");
    if (name.empty() || text == nullptr || !text->is_string()) continue;
    if (name == "default") {
      metadata.Set("tokenizer.chat_template", GgufValue::String(std::string(text->get_string())));
    } else {
      names.push_back(name);
      metadata.Set("tokenizer.chat_template." + name, GgufValue::String(std::string(text->get_string())));
    }
  }
  if (!names.empty()) metadata.Set("tokenizer.chat_templates", GgufValue::Strings(names));
}

Result<void> AddChatTemplate(const Folder& folder, const json::object& tokenizer_config, GgufMetadata& metadata) {
  const json::value* inside = tokenizer_config.if_contains("chat_template");
  if (inside != nullptr && !inside->is_null()) {
    WriteTemplate(*inside, metadata);
  } else if (folder.Has("chat_template.jinja")) {
    const auto source = TRY(folder.Open("chat_template.jinja"));
    metadata.Set("tokenizer.chat_template", GgufValue::String(TRY(source->ReadAll(kMaxTokenizerBytes))));
  } else if (const auto file = TRY(folder.ReadObject("chat_template.json", kMaxTokenizerBytes))) {
    const json::value* text = file->if_contains("chat_template");
    if (text != nullptr) WriteTemplate(*text, metadata);
  }
  return {};
}

}  // namespace

Result<void> AddSpecialTokens(const TokenizerFiles& files, const json::object& config, uint64_t rows,
                              GgufMetadata& metadata) {
  static const json::array kNoArray;
  static const json::object kNoObject;
  const json::object& tokenizer = files.tokenizer ? *files.tokenizer : kNoObject;
  SpecialTokens tokens(files.config);
  if (const json::object* processor = json::FindObject(tokenizer, "post_processor")) {
    tokens.ReadPostProcessor(*processor);
  }
  tokens.ReadFlags(files.config);
  const json::array* added = json::FindArray(tokenizer, "added_tokens");
  tokens.Write(added != nullptr ? *added : kNoArray, config, rows, metadata);
  const json::value* prefix = files.config.if_contains("add_prefix_space");
  if (prefix != nullptr && prefix->is_bool()) {
    metadata.Set("tokenizer.ggml.add_space_prefix", GgufValue::Bool(prefix->get_bool()));
  }
  return AddChatTemplate(files.folder, files.config, metadata);
}

}  // namespace bothy
