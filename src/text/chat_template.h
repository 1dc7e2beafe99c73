// Chat templates: a conversation becomes the prompt that a model was trained on, as transformers' apply_chat_template
// (5.23) makes it from a tokenizer's template.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "codec/jinja/template.h"

namespace bothy {

class ChatTemplate {
 public:
  // `name` is for messages. `tokens` are the special tokens' texts, which the template sees as variables: bos_token,
  // eos_token, unk_token, pad_token and whatever else the tokenizer has.
  static Result<ChatTemplate> Create(std::string_view source, std::string_view name,
                                     std::vector<std::pair<std::string, std::string>> tokens);

  // `request` is what apply_chat_template takes: messages (a list, not empty, of objects) and, if wanted, tools,
  // documents, add_generation_prompt, continue_final_message (true, or the name of the field to continue), kwargs (an
  // object of further variables), and any other key, which is a variable of that name. Errors are kInvalidArgument
  // where the request or the template's own rules are broken.
  Result<std::string> Render(const boost::json::object& request, const jinja::RenderOptions& options = {}) const;

  const std::string& source() const { return template_.source(); }

 private:
  ChatTemplate(jinja::Template parsed, std::vector<std::pair<std::string, std::string>> tokens)
      : template_(std::move(parsed)), tokens_(std::move(tokens)) {}

  jinja::Template template_;
  std::vector<std::pair<std::string, std::string>> tokens_;
};

}  // namespace bothy
