// How the models of a family write calls of tools, found out from their chat template.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/chat.h"
#include "serve/constraint.h"

namespace bothy::serve {

// A call is one of `open`, perhaps several, then either a JSON object with the name and the arguments, a list of such
// objects, or the name, some decoration and the arguments as a JSON object; then any of `close`, in any number.
struct ToolSyntax {
  std::string_view family;         // for messages
  std::vector<std::string> open;   // each alone begins a call
  std::vector<std::string> close;  // dropped behind calls
  bool bare = false;               // an answer that begins with a call's JSON object is one
  bool begins_open = false;        // the prompt ends with `open`
  bool xml = false;                // <function=NAME><parameter=KEY>VALUE</parameter></function>
  std::string text_recipient;      // stands in place of a name where text follows

  // How calls are written: `first`, the calls with `between`, `last`. A call stands between `before` and `after`: where
  // `named`, its name, name_after and the arguments, else an object with these keys.
  bool named = false;
  std::string first, before, name_after, after, between, last;
  std::string_view name_key = "name", arguments_key = "arguments";

  // As the model would write them.
  std::string Write(std::span<const ToolCall> calls) const;

  // That calls of these tools, at least one and with `several` more, are all that is written.
  ConstraintSpec Calls(std::span<const Tool> tools, bool several) const;

 private:
  std::string BeforeArguments(std::string_view name) const;
  std::string AfterArguments() const;
};

// Of a chat template's text. A template that knows of no tools gets a generic form.
ToolSyntax FindToolSyntax(std::string_view template_source);
ToolSyntax GenericToolSyntax();

}  // namespace bothy::serve
