// What a revision of a repository is, as model_info and its sisters tell: card, tags, configuration and weights.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/files.h"
#include "hub/info_fields.h"
#include "hub/weights_summary.h"
#include "store/database/database.h"

namespace bothy {

struct RevisionFacts {
  json::object card_data;                 // the card's metadata
  std::optional<std::string> card_error;  // why there is none
  std::string card_text;                  // the first bytes of what follows it
  std::vector<std::string> tags;
  std::optional<std::string> pipeline_tag;
  std::optional<std::string> library_name;
  json::object config;  // the part of the configuration that pages and clients look at; empty where there is none
  std::optional<std::string> mask_token;
  json::object transformers_info;  // {"auto_model", "pipeline_tag", "processor"}; empty where it is no such model
  std::optional<SafetensorsSummary> safetensors;
  std::optional<json::object> gguf;
};

inline constexpr size_t kMaxFactFiles = 10'000;       // of a revision, that are looked at for its tags
inline constexpr size_t kMaxFactTextBytes = 4 << 10;  // of the card's text, that are kept
inline constexpr size_t kMaxSiblings = 100'000;

// Reads them. What cannot be read (a card that is no YAML, weights that are none) is left out; an error is the
// server's.
Result<RevisionFacts> ReadRevisionFacts(Database& database, const RepositoryFiles& files, RepositoryKind kind,
                                        const git::Oid& commit);

// All files of a revision, without folders; the first kMaxSiblings.
Result<std::vector<RepositoryEntry>> ListFiles(const RepositoryFiles& files, const git::Oid& commit,
                                               size_t limit = kMaxSiblings);

}  // namespace bothy
