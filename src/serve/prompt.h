// From a conversation to the prompt that a model was trained on, by its chat template. Templates differ in what they
// take; what one does not take is said to the model in another way.
#pragma once

#include <string>
#include <string_view>

#include "serve/chat.h"
#include "serve/constraint.h"
#include "serve/reasoning.h"
#include "serve/tool_syntax.h"
#include "text/chat_template.h"

namespace bothy::serve {

// What a template takes, found out by trying.
struct TemplateTraits {
  bool system = false;             // a system message
  bool parts = false;              // a message's content must be a list of parts
  bool tools = false;              // shows which tools there are
  bool calls = false;              // shows calls of tools
  bool arguments_as_text = false;  // of calls: as JSON text, not as objects
  bool several_calls = false;      // in one message
  bool results = false;            // messages of the role tool
};

class ChatPrompt {
 public:
  // `options` say what time it is for templates that ask.
  static ChatPrompt Create(ChatTemplate chat_template, const jinja::RenderOptions& options = {});

  // Errors are kInvalidArgument where the template refuses the conversation.
  Result<std::string> Render(const ChatRequest& request, const jinja::RenderOptions& options = {}) const;

  // What the answer must be: calls where tool_choice demands them, else what response_format says.
  ConstraintSpec Constraint(const ChatRequest& request) const;

  const TemplateTraits& traits() const { return traits_; }
  const ToolSyntax& tool_syntax() const { return tool_syntax_; }
  const ReasoningTags& reasoning() const { return reasoning_; }
  const std::string& source() const { return template_.source(); }

 private:
  explicit ChatPrompt(ChatTemplate chat_template);

  void FindTraits(const jinja::RenderOptions& options);
  std::string Try(json::array messages, json::array tools, const jinja::RenderOptions& options) const;
  json::array TemplateMessages(const std::vector<Message>& messages) const;

  ChatTemplate template_;
  TemplateTraits traits_;
  ToolSyntax tool_syntax_;
  ReasoningTags reasoning_;
};

// Whether the model may call tools in its answer.
bool MayCall(const ChatRequest& request);

}  // namespace bothy::serve
