// The tags of a repository, from its card, its configuration and the names of its files, in the order and with the
// prefixes that huggingface.co gives them ("license:mit", "dataset:squad", "base_model:finetune:gpt2").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/card.h"
#include "hub/repository_kind.h"

namespace bothy {

struct CardFacts {
  std::vector<std::string> tags;  // each once
  std::optional<std::string> pipeline_tag;
  std::optional<std::string> library_name;
};

inline constexpr size_t kMaxTags = 1000;
inline constexpr size_t kMaxTagBytes = 200;  // longer ones are left out

// `files` are the paths of all files, as many as matter (the first thousands); `config` is config.json, or null.
CardFacts DeriveFacts(RepositoryKind kind, const Card& card, const json::object* config,
                      const std::vector<std::string>& files);

}  // namespace bothy
