// Finds the chat template that came with a model.
#pragma once

#include "codec/model_files.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace bothy {

// chat_template.jinja, or "chat_template" of tokenizer_config.json (of several the one named "default"), or GGUF's
// tokenizer.chat_template. kNotFound where it has none.
Result<ChatTemplate> OpenChatTemplate(const ModelFiles& files, const Tokenizer& tokenizer);

}  // namespace bothy
