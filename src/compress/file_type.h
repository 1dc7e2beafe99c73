// File types of GGUF: the names people know ("Q4_K_M"), and which type each array of a model gets in such a file. Most
// are mixtures: what suffers most from few bits gets more of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "codec/checkpoint.h"

namespace bothy {

// The numbers are those of the metadata key general.file_type.
enum class FileType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ8_0 = 7,
  kQ5_0 = 8,
  kQ5_1 = 9,
  kQ2_K = 10,
  kQ3_K_S = 11,
  kQ3_K_M = 12,
  kQ3_K_L = 13,
  kQ4_K_S = 14,
  kQ4_K_M = 15,
  kQ5_K_S = 16,
  kQ5_K_M = 17,
  kQ6_K = 18,
  kIQ4_NL = 25,
  kIQ4_XS = 30,
  kBF16 = 32,
};

struct FileTypeInfo {
  FileType file_type;
  std::string_view name;
  DType dtype;  // what an array gets of which no rule says otherwise
};

std::span<const FileTypeInfo> FileTypes();  // by falling size of the file
const FileTypeInfo& InfoOf(FileType file_type);

// Case does not matter; Q3_K, Q4_K and Q5_K are their _M.
std::optional<FileType> FileTypeFromName(std::string_view name);

// What the rules look at besides the arrays.
struct ModelTraits {
  std::string architecture;  // general.architecture
  uint32_t layers = 0;
  uint32_t heads = 0;
  uint32_t key_value_heads = 0;
  uint32_t experts = 0;
};

// The order in which GGUF writers and the rules go through arrays: those of no layer first, then layer by layer
// ("blk.7."), by name within.
bool ComesBefore(std::string_view name, std::string_view other);

// The type of each array, in the order of `arrays`, whose names are those of GGUF; the same that llama.cpp's quantizer
// gives without an importance matrix (src/llama-quant.cpp, PyPI's llama-cpp-python 0.3.36). Arrays that must not be
// quantized (of one dimension, norms, ...) keep the type they have; a row that is no whole number of blocks gets a type
// with smaller ones. kInvalidArgument where a mixture of experts has a feed-forward array that names no layer.
Result<std::vector<DType>> ChooseTypes(FileType file_type, const ModelTraits& model, std::span<const ArrayInfo> arrays);

}  // namespace bothy
