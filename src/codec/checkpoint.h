// A checkpoint: named, typed arrays over sources of bytes. Whatever file format they came from (safetensors, GGUF, a
// PyTorch zip, llama2.c), loaders see only this.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/dtype.h"
#include "base/error.h"

namespace bothy {

struct ArrayInfo {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;  // outermost first, row-major; GGUF's order is turned round when it is read
  uint32_t source = 0;          // index into Checkpoint::sources
  uint64_t offset = 0;          // where in that source the first element lies
  uint64_t size = 0;            // bytes; the reader has checked that it fits shape, dtype and source
};

// Elements of an array; readers have checked that this does not overflow.
uint64_t ElementCount(const ArrayInfo& array);

class Checkpoint {
 public:
  // Arrays are sorted by name; two of one name, or one that leaves its source, are kCorrupt.
  static Result<Checkpoint> Create(std::vector<std::shared_ptr<const ByteSource>> sources,
                                   std::vector<ArrayInfo> arrays);

  std::span<const ArrayInfo> arrays() const { return arrays_; }
  const ArrayInfo* Find(std::string_view name) const;         // null where there is none
  Result<const ArrayInfo*> Get(std::string_view name) const;  // kNotFound, naming the file and the array
  std::span<const std::shared_ptr<const ByteSource>> sources() const { return sources_; }
  const ByteSource& SourceOf(const ArrayInfo& array) const { return *sources_[array.source]; }

  // Bytes [offset, offset + out.size()) of the array's content.
  Result<void> Read(const ArrayInfo& array, uint64_t offset, std::span<std::byte> out) const;

 private:
  std::vector<std::shared_ptr<const ByteSource>> sources_;
  std::vector<ArrayInfo> arrays_;
};

}  // namespace bothy
