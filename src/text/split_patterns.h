// The patterns that famous models cut text with, letter by letter as their files spell them.
#pragma once

#include <string_view>

namespace bothy {

// The parts that many share.
#define BOTHY_CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define BOTHY_WORD R"([^\r\n\p{L}\p{N}]?\p{L}+)"
#define BOTHY_OTHER R"( ?[^\s\p{L}\p{N}]+[\r\n]*)"
#define BOTHY_SPACES R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
// Words that begin with capitals and go on in small letters (GPT-4o); `contraction` may follow.
#define BOTHY_CASED_WORD(contraction)                                                           \
  R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)" contraction \
  R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)" contraction

inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
inline constexpr std::string_view kLlama3Pattern =
    BOTHY_CONTRACTIONS "|" BOTHY_WORD R"(|\p{N}{1,3}|)" BOTHY_OTHER "|" BOTHY_SPACES;
inline constexpr std::string_view kQwen2Pattern =
    BOTHY_CONTRACTIONS "|" BOTHY_WORD R"(|\p{N}|)" BOTHY_OTHER "|" BOTHY_SPACES;
inline constexpr std::string_view kGpt4oPattern =
    BOTHY_CASED_WORD(BOTHY_CONTRACTIONS "?") R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" BOTHY_SPACES;
inline constexpr std::string_view kTekkenPattern =
    BOTHY_CASED_WORD("") R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" BOTHY_SPACES;

inline constexpr std::string_view kClipPattern =
    R"(<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";

}  // namespace bothy
