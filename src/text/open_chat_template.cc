#include "text/open_chat_template.h"

namespace bothy {
namespace {

constexpr uint64_t kMaxTemplate = uint64_t{16} << 20;

Result<std::optional<std::string>> TemplateOfConfig(const json::object& config) {
  const json::value* found = config.if_contains("chat_template");
  if (found == nullptr || found->is_null()) return std::nullopt;
  if (found->is_string()) return std::string(found->get_string());
  if (found->is_array()) {
    for (const json::value& one : found->get_array()) {
      if (!one.is_object()) continue;
      if (TRY(json::GetString(one.get_object(), "name")) == "default")
        return json::GetString(one.get_object(), "template");
    }
  }
  return Fail(ErrorCode::kCorrupt, "key \"chat_template\": expected a string, or a list with one named \"default\"");
}

Result<std::optional<std::string>> TemplateSource(const ModelFiles& files) {
  if (files.gguf) return files.gguf->GetString("tokenizer.chat_template");
  if (!files.folder) return std::nullopt;
  if (files.folder->Has("chat_template.jinja")) {
    return TRY(files.folder->Open("chat_template.jinja"))->ReadAll(kMaxTemplate);
  }
  const std::optional<json::object> config = TRY(files.folder->ReadObject("tokenizer_config.json", kMaxTemplate));
  if (!config) return std::nullopt;
  return TRY_CONTEXT("tokenizer_config.json", TemplateOfConfig(*config));
}

}  // namespace

Result<ChatTemplate> OpenChatTemplate(const ModelFiles& files, const Tokenizer& tokenizer) {
  const std::optional<std::string> source = TRY(TemplateSource(files));
  if (!source) {
    return Fail(ErrorCode::kNotFound, "{}: there is no chat template; this model continues text (bothy generate)",
                files.name);
  }
  std::vector<std::pair<std::string, std::string>> tokens;
  const auto add = [&](const char* name, std::optional<TokenId> id) {
    if (id) tokens.emplace_back(name, tokenizer.Piece(*id));
  };
  const SpecialTokens& special = tokenizer.special_tokens();
  add("bos_token", special.bos);
  add("eos_token", special.eos);
  add("unk_token", special.unk);
  add("pad_token", special.pad);
  return ChatTemplate::Create(*source, files.name, std::move(tokens));
}

}  // namespace bothy
