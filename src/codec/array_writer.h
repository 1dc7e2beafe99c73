// What the writers of all formats share: arrays whose content is made one after the other while the file is written, so
// that a model never has to be in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "base/output_file.h"

namespace bothy {

struct ArraySpec {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;  // outermost first
};

// Bytes of the whole array; kInvalidArgument where the shape does not fit its type or 64 bits.
Result<uint64_t> SizeOf(const ArraySpec& array);

// kInvalidArgument where two have the same name.
Result<void> CheckNames(std::span<const ArraySpec> arrays);

// Takes the bytes of one array, in pieces of any size.
class ArraySink {
 public:
  ArraySink(OutputFile& file, uint64_t size) : file_(file), left_(size) {}
  Result<void> Write(std::span<const std::byte> bytes);
  uint64_t left() const { return left_; }  // bytes that are still to come

 private:
  OutputFile& file_;
  uint64_t left_;
};

// Called once for each array, in order; has to write all of its bytes.
using ArrayProducer = std::function<Result<void>(size_t index, ArraySink& sink)>;

// Writes array `index` and checks that it came whole.
Result<void> WriteArray(OutputFile& file, const ArraySpec& array, size_t index, const ArrayProducer& produce);

}  // namespace bothy
