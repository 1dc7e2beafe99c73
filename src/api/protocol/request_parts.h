// What the requests of several protocols are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/protocol/fields.h"
#include "serve/chat.h"

namespace bothy::api {

// Limits of one request, beside the size of its body.
inline constexpr size_t kMaxMessages = 100'000, kMaxParts = 10'000, kMaxTools = 1024, kMaxCalls = 1024,
                        kMaxStopStrings = 64, kMaxPrompts = 2048, kMaxNameBytes = 128;
inline constexpr int64_t kMaxChoices = 128, kMaxTopLogProbs = 20, kMaxNewTokens = INT32_MAX;

// A function's name: letters, digits, '_', '-', '.', ':' and '/', at most kMaxNameBytes.
Result<std::string> ReadFunctionName(const Fields& from, std::string_view key);

// {"name": ..., "description": ..., SCHEMA_KEY: {...}}
Result<serve::Tool> ReadFunction(const Fields& from, std::string_view schema_key);
// The same as {"type": "function", "function": {...}}, a list of which is under `key`.
Result<std::vector<serve::Tool>> ReadFunctionTools(const Fields& from, std::string_view key);

// What an answer must be, as {"name": ..., "schema": {...}}.
Result<serve::ResponseFormat> ReadNamedSchema(const Fields& from);

// Arguments of a call: a JSON object, or where a text stands for it one that holds an object, or "".
Result<std::string> ReadArguments(const Fields& from, std::string_view key);

// What texts a prompt or an input is: a text, token ids, or a list of texts or of lists of token ids. Not empty.
Result<std::vector<serve::Prompt>> ReadPrompts(const Fields& from, std::string_view key);

// Text, or a list of {"type": TYPE, "text": ...} with one of `types`. Images and the like are refused by name.
Result<std::vector<std::string>> ReadContent(const Fields& from, std::string_view key,
                                             std::initializer_list<std::string_view> types);

// Checks that tool_choice can be: a tool must be there, the named one by that name. `field` is for the message.
Result<void> CheckToolChoice(const serve::ChatRequest& request, std::string_view field);

// Checks the settings by ReadSampling on top of its defaults.
Result<void> CheckSettings(const serve::GenerationOptions& options);

// Gives messages of the role tool the name of the function whose call they answer.
void NameResults(std::vector<serve::Message>& messages);

}  // namespace bothy::api
