// Takes calls of tools out of generated text while it is generated: what is before and between them goes on as text,
// arguments go on as they come, and what only looked like a call comes out as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/chat.h"
#include "serve/json_scanner.h"
#include "serve/object_call.h"
#include "serve/tool_syntax.h"
#include "serve/xml_call.h"

namespace bothy::serve {

class ToolCallReader {
 public:
  // Only calls of `tools` are calls. With `several` false the first is all that there is: what follows is dropped.
  // Ids of calls are `id_prefix` and a number.
  ToolCallReader(ToolSyntax syntax, std::vector<Tool> tools, bool several, std::string id_prefix);
  ToolCallReader(ToolCallReader&&) = default;
  ToolCallReader& operator=(ToolCallReader&&) = default;

  // Takes the next piece, whole characters; adds what is certain to `out`.
  void Feed(std::string_view piece, std::vector<ChatEvent::What>& out);
  // The text ends here.
  void Finish(std::vector<ChatEvent::What>& out);

  size_t calls() const { return calls_; }
  // Nothing that follows would be looked at.
  bool done() const { return state_ == State::kDone; }

  // What may stand between a call's beginning and its arguments.
  static constexpr size_t kMaxHeader = 512;

 private:
  enum class State {
    kText,
    kOpen,       // behind `open`
    kHeader,     // name and decoration
    kArguments,  // of a named call
    kObject,
    kList,  // between objects
    kXml,   // behind the name
    kDone,
  };

  void FeedByte(char c);
  void InText(char c);
  void InOpen(char c);
  void InHeader(char c);
  void CheckHeader();
  void InArguments(char c);
  void BeginObject();
  void InObject(char c);
  void InList(char c);
  void InXml(char c);

  void Show(std::string_view text);
  void BeginCall(std::string_view name);
  void AddArguments(std::string_view text);
  void EndCall(State next);
  // Its arguments go wrong at this byte, but the client has them already.
  void BreakCall(char c);
  // What was taken for a call is none.
  void GiveBack();

  const Tool* FindTool(std::string_view name) const;
  std::string_view NameIn(std::string_view header) const;
  bool IsBareStart(char c) const;

  ToolSyntax syntax_;
  std::vector<Tool> tools_;  // xml_ refers to them; they stay where they are when this moves
  bool several_;
  std::string id_prefix_;

  State state_;
  std::vector<ChatEvent::What>* out_ = nullptr;
  std::string held_;    // kText: the beginning of a marker, perhaps
  std::string blanks_;  // kText: at the end of what was shown; they go with a call that follows
  std::string raw_;     // all since the call's beginning, until it is known to be one
  std::string header_;  // kOpen, kHeader
  bool at_start_ = true, behind_call_ = false, in_list_ = false;
  bool in_call_ = false;  // one was begun and not ended
  size_t calls_ = 0;
  JsonScanner scanner_;
  ObjectCall object_;
  XmlCall xml_;
};

}  // namespace bothy::serve
