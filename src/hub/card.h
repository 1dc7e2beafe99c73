// A repository's card: the metadata in front of its README.md (YAML between two lines "---"), and what the hub thinks
// of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/repository_kind.h"

namespace bothy {

inline constexpr size_t kMaxCardMetadataBytes = 1 << 20;

struct Card {
  json::object data;                 // empty where there is none, or it cannot be read
  std::optional<std::string> error;  // why it cannot
  std::string_view text;             // what follows it; of the README that was given
};

Card ReadCard(std::string_view readme);

// The text between the two lines; nothing where the README does not begin so.
struct SplitCard {
  std::optional<std::string_view> metadata;
  std::string_view text;
};
SplitCard SplitReadme(std::string_view readme);

// What a person should change before the card is pushed (errors), or could (warnings).
struct CardVerdict {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};
CardVerdict ValidateCard(std::string_view readme, RepositoryKind kind);

// A text, or all texts of a list: cards give one or many where many are meant ("language: en").
std::vector<std::string> TextsOf(const json::object& data, std::string_view key);

}  // namespace bothy
