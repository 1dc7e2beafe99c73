// Reads a checkpoint's arrays into layers, checking their shapes.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "codec/checkpoint.h"
#include "models/language_model.h"
#include "nn/linear.h"

namespace bothy {

// Which row of the stored matrix becomes row r of the layer.
using RowOrder = std::function<uint64_t(uint64_t row)>;

// A language model's two matrices over its vocabulary.
struct TokenMatrices {
  PackedMatrix embeddings;  // [vocabulary][hidden]
  Linear own_head;          // the same; empty where the embeddings are the output too

  const PackedMatrix& head() const { return own_head.out() > 0 ? own_head.weight : embeddings; }
};

// Which arrays these are. As in transformers 5.23, an output of its own counts even where the model is `tied`
// (tie_word_embeddings: the one stands in where the other is missing), which it says itself where it differs.
// kNotFound where one is missing and `tied` is not set: the reference draws random numbers for it then.
struct TokenArrays {
  const ArrayInfo* embeddings;
  const ArrayInfo* own_head;  // null where the embeddings are the output too
};
Result<TokenArrays> FindTokenArrays(const Checkpoint& checkpoint, const std::string& embeddings,
                                    const std::string& head, bool tied);

class WeightReader {
 public:
  WeightReader(const Checkpoint& checkpoint, ThreadPool& pool, const LoadOptions& options);

  bool Has(std::string_view name) const { return checkpoint_.Find(name) != nullptr; }

  // What names begin with: `prefix`, or nothing where the checkpoint is of the bare model without its head, as
  // transformers saves LlamaModel or GPT2Model. `known` is the name of an array that every checkpoint has.
  std::string Prefix(const std::string& prefix, const std::string& known) const {
    return Has(known) && !Has(prefix + known) ? "" : prefix;
  }

  // kNotFound or kCorrupt, as below, without reading anything.
  Result<void> CheckShape(std::string_view name, const std::vector<uint64_t>& shape) const;

  // kNotFound without the array, kCorrupt where its shape is another; messages name file and array.
  Result<PackedMatrix> Matrix(std::string_view name, uint64_t rows, uint64_t columns, const RowOrder& order = {});
  Result<std::vector<float>> Vector(std::string_view name, uint64_t size, const RowOrder& order = {});

  // name + ".weight", and name + ".bias" where that is there.
  Result<Linear> ReadLinear(const std::string& name, uint64_t rows, uint64_t columns, const RowOrder& order = {});

  // The same, where the weight is stored as [columns][rows]: x W + b, as GPT-2's Conv1D has it. Takes memory for the
  // stored matrix once more while it is packed.
  Result<Linear> ReadTransposedLinear(const std::string& name, uint64_t rows, uint64_t columns);

  // Those that FindTokenArrays names; the output with its bias where that is there.
  Result<TokenMatrices> ReadTokenMatrices(const std::string& embeddings, const std::string& head, uint64_t vocabulary,
                                          uint64_t hidden, bool tied);

  // Call when all is read: the names of arrays that nothing has read, but for tables that follow from the
  // configuration, which older checkpoints store too (inverse frequencies, position ids, and what ends in one of
  // `tables`). kUnimplemented where one is part of a layer that was read (`layer_prefix` and a number below `layers`):
  // a norm or a bias that `model` does not have makes another model of it, whose text would be nonsense without an
  // error.
  Result<std::vector<std::string>> Unread(std::string_view model, std::string_view layer_prefix, size_t layers,
                                          std::initializer_list<std::string_view> tables = {}) const;

  uint64_t parameters() const { return parameters_; }  // read so far
  uint64_t packed_bytes() const { return packed_bytes_; }

 private:
  Result<const ArrayInfo*> Find(std::string_view name, const std::vector<uint64_t>& shape) const;
  void Count(const ArrayInfo& array);

  const Checkpoint& checkpoint_;
  ThreadPool& pool_;
  const LoadOptions& options_;
  std::vector<bool> read_;  // by index of the checkpoint's arrays
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  uint64_t parameters_ = 0;
  uint64_t packed_bytes_ = 0;
};

}  // namespace bothy
