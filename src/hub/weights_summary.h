// What the weights of a revision are: parameters by type of the safetensors files, and what a GGUF file says of itself.
// Read once for each content, which never changes, and kept in the database.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/files.h"
#include "store/database/database.h"

namespace bothy {

struct SafetensorsSummary {
  std::map<std::string, int64_t> parameters;  // by type: {"BF16": 1024}
  int64_t total = 0;
};

class WeightsReader {
 public:
  static constexpr size_t kMaxShards = 1000;
  static constexpr uint64_t kMaxIndexBytes = 16 << 20;

  WeightsReader(Database& database, const RepositoryFiles& files) : database_(database), files_(files) {}

  // Of model.safetensors, or of the shards that model.safetensors.index.json names, or of an adapter. Nothing where
  // there is none, or a file of them cannot be read.
  Result<std::optional<SafetensorsSummary>> ReadSafetensors(const git::Oid& commit) const;

  // Of the first of the revision's GGUF files that is a model, with all of its parts: {"total", "architecture",
  // "context_length", "chat_template", "bos_token", "eos_token"}, each where it is known.
  Result<std::optional<json::object>> ReadGguf(const git::Oid& commit, const std::vector<std::string>& paths) const;

 private:
  using Reader = Result<json::object> (*)(std::shared_ptr<const ByteSource> source);

  Result<std::vector<std::string>> SafetensorsFiles(const git::Oid& commit) const;
  // Nothing where the file is not there or is none: it is what somebody has pushed.
  Result<std::optional<json::object>> Summarize(const git::Oid& commit, const std::string& path, Reader read) const;

  Database& database_;
  const RepositoryFiles& files_;
};

}  // namespace bothy
