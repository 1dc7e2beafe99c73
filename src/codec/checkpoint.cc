#include "codec/checkpoint.h"

#include <algorithm>

namespace bothy {

uint64_t ElementCount(const ArrayInfo& array) {
  uint64_t count = 1;
  for (const uint64_t n : array.shape) count *= n;
  return count;
}

Result<Checkpoint> Checkpoint::Create(std::vector<std::shared_ptr<const ByteSource>> sources,
                                      std::vector<ArrayInfo> arrays) {
  Checkpoint checkpoint;
  std::ranges::sort(arrays, {}, &ArrayInfo::name);
  for (size_t i = 0; i < arrays.size(); i++) {
    const ArrayInfo& array = arrays[i];
    CHECK(array.source < sources.size());
    const ByteSource& source = *sources[array.source];
    if (i > 0 && arrays[i - 1].name == array.name) {
      return Fail(ErrorCode::kCorrupt, "{}: array \"{}\" is there twice", source.name(), array.name);
    }
    if (array.offset > source.size() || array.size > source.size() - array.offset) {
      return Fail(ErrorCode::kCorrupt, "{}: array \"{}\": expected {} bytes at offset {}, the file ends at {}",
                  source.name(), array.name, array.size, array.offset, source.size());
    }
  }
  checkpoint.sources_ = std::move(sources);
  checkpoint.arrays_ = std::move(arrays);
  return checkpoint;
}

const ArrayInfo* Checkpoint::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(arrays_, name, {}, &ArrayInfo::name);
  return found != arrays_.end() && found->name == name ? &*found : nullptr;
}

Result<const ArrayInfo*> Checkpoint::Get(std::string_view name) const {
  if (const ArrayInfo* array = Find(name)) return array;
  return Fail(ErrorCode::kNotFound, "{}: array \"{}\" is missing",
              sources_.empty() ? "checkpoint" : sources_.front()->name(), name);
}

Result<void> Checkpoint::Read(const ArrayInfo& array, uint64_t offset, std::span<std::byte> out) const {
  DCHECK(offset <= array.size && out.size() <= array.size - offset);
  return SourceOf(array).Read(array.offset + offset, out);
}

}  // namespace bothy
