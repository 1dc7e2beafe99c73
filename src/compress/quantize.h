// Writes a model to a GGUF file with its weights in another type: quantized, or as plain floats.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>

#include "compress/gguf_model.h"
#include "tensor/thread_pool.h"

namespace bothy {

struct QuantizeOptions {
  FileType file_type = FileType::kQ4_K_M;
  // Called now and then, on the calling thread, with bytes of the source; false ends the work with kCancelled.
  std::function<bool(uint64_t done, uint64_t total)> progress;
};

struct QuantizeSummary {
  uint64_t source_bytes = 0;  // of all arrays, before
  uint64_t bytes = 0;         // and after
  uint64_t parameters = 0;
  uint64_t requantized = 0;          // arrays that were quantized before, and whose values were taken as they came out
  std::map<DType, uint64_t> arrays;  // how many arrays have each type now
};

// Reads, converts and writes piece by piece: the memory it takes does not depend on the model's size. The result does
// not depend on the number of threads. kCorrupt, naming array and row, where a weight is not a finite number or too
// large for its type. Where anything fails no file is left; one that was there before stays as it was.
Result<QuantizeSummary> WriteModel(const GgufModel& model, const ModelFiles& files, const std::filesystem::path& path,
                                   ThreadPool& pool, const QuantizeOptions& options);

}  // namespace bothy
