// A model in several files: model.safetensors.index.json and, after a zero byte, the one shard that there is.
#include "codec/safetensors.h"
#include "codec/shards.h"
#include "read_arrays.h"

using namespace bothy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = InputText(data, size);
  const std::string_view index = TakePart(input);
  if (const auto split = ParseSplitName(index)) (void)split->Part(1);
  const FolderInMemory folder({{"index.json", index}, {"a.safetensors", input}});
  const auto checkpoint = ReadSharded(folder, "index.json", [](auto source) -> Result<Checkpoint> {
    return TRY(ReadSafetensors(std::move(source))).checkpoint;
  });
  if (checkpoint) ReadArrays(*checkpoint);
  return 0;
}
