// Conversations rewritten for templates that do not take them as they are.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "serve/chat.h"
#include "serve/tool_syntax.h"

namespace bothy::serve {

// The parts of a message's content, one under the other.
std::string JoinContent(const Message& message);

// Adds to the system message, which is made where there is none.
void AddToSystem(std::vector<Message>& messages, const std::string& text);

// What system messages say goes to the beginning of the first message of the user.
void FoldSystem(std::vector<Message>& messages);

// All system messages become one, at the beginning; messages of one role that follow each other become one, but for
// those with calls and results of tools; between a result and the user stands an answer, if an empty one.
void Straighten(std::vector<Message>& messages);

// A message with several calls becomes one for each, followed by that call's result where it is there.
void SplitCalls(std::vector<Message>& messages);

// Calls become what the model would have written.
void WriteCalls(std::vector<Message>& messages, const ToolSyntax& syntax);

// Results become messages of the user.
void WriteResults(std::vector<Message>& messages);

// Ids of calls as Mistral's templates demand them: nine letters and digits.
void ShortenIds(std::vector<Message>& messages);

// What a model must know to call tools, for templates that do not say it.
std::string DescribeTools(std::span<const Tool> tools, const ToolSyntax& syntax);

}  // namespace bothy::serve
