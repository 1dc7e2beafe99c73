// Tokenizers of the time before tokenizer.json: vocab.json with merges.txt, vocab.txt, and tiktoken's files of ranks.
// Such files say nothing about how text is cut; that follows from the tokenizer class in tokenizer_config.json, or from
// the vocabulary. `file` is for messages.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_parts.h"

namespace bothy {

// {"piece": id, ...} and a line for each merge: GPT-2 and its descendants (RoBERTa, BART, CLIP, Qwen 2, ...).
Result<Tokenizer::Parts> ReadVocabAndMerges(std::string_view vocab, std::string_view merges,
                                            const TokenizerConfig& config, std::string_view file);

// A piece a line: BERT.
Result<Tokenizer::Parts> ReadWordPieceVocab(std::string_view text, const TokenizerConfig& config,
                                            std::string_view file);

// A line for each token: its bytes in base64, and its rank, which is its id.
Result<Tokenizer::Parts> ReadTiktoken(std::string_view text, std::string_view file);

// {"piece": id, ...} in GPT-2's alphabet without merges, which follow from the ids: LLaMA 3's encoder.json.
Result<Tokenizer::Parts> ReadEncoderJson(std::string_view text, std::string_view file);

// Mistral's tekken.json: the pattern, the tokens' bytes by rank, and special tokens, whose ids come first.
Result<Tokenizer::Parts> ReadTekken(std::string_view text, std::string_view file);

}  // namespace bothy
