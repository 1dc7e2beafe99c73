// Models in several files: an index that says which array lies where (NAME.safetensors.index.json,
// pytorch_model.bin.index.json), and the parts of a split GGUF file.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "codec/checkpoint.h"
#include "codec/folder.h"
#include "codec/gguf.h"

namespace bothy {

using ShardReader = std::function<Result<Checkpoint>(std::shared_ptr<const ByteSource> source)>;

// Exactly the arrays that the index names, from the files that it names for them. kCorrupt where one is not there.
Result<Checkpoint> ReadSharded(const Folder& folder, std::string_view index, const ShardReader& read);

// "NAME-00002-of-00003.gguf"
struct SplitName {
  std::string prefix;  // "NAME"
  uint32_t part = 0;   // 1 for the first
  uint32_t count = 0;
  std::string Part(uint32_t number) const;
};
std::optional<SplitName> ParseSplitName(std::string_view file);

// `file` and, where it is one part of several, the others beside it: the metadata of the first and the tensors of all.
Result<Gguf> ReadGgufParts(const Folder& folder, std::string_view file);

}  // namespace bothy
