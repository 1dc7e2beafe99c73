// The files of a model folder that describe its tokenizer, read once for all who take something from them.
#pragma once

#include <cstdint>
#include <optional>

#include "codec/folder.h"
#include "codec/json.h"

namespace bothy {

// The limit for each; the largest there are have 35 MB.
inline constexpr uint64_t kMaxTokenizerBytes = uint64_t{512} << 20;

struct TokenizerFiles {
  const Folder& folder;
  std::optional<json::object> tokenizer;  // tokenizer.json
  json::object config;                    // tokenizer_config.json; empty where there is none
};

inline Result<TokenizerFiles> ReadTokenizerFiles(const Folder& folder) {
  return TokenizerFiles{
      .folder = folder,
      .tokenizer = TRY(folder.ReadObject("tokenizer.json", kMaxTokenizerBytes)),
      .config = TRY(folder.ReadObject("tokenizer_config.json", kMaxTokenizerBytes)).value_or(json::object())};
}

}  // namespace bothy
