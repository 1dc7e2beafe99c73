// The names that PyTorch's checkpoints mention in their pickles, and what the values made with them mean: tensors that
// are views of storages (torch/_utils.py, torch/serialization.py).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "codec/pickle.h"

namespace bothy {

// The allow-list. Whatever else a pickle asks for is refused.
std::span<const PickleGlobal> TorchGlobals();

// A row of bytes outside the pickle.
struct TorchStorage {
  std::string key;
  uint64_t size = 0;  // bytes
  DType dtype = DType::kU8;
  // A part of the storage named key, which older versions wrote for one: begins here, in bytes.
  uint64_t offset = 0;
};

struct TorchTensor {
  std::string name;
  DType dtype = DType::kF32;
  TorchStorage storage;
  uint64_t offset = 0;  // in elements
  std::vector<uint64_t> shape;
  std::vector<uint64_t> strides;  // in elements
  uint64_t elements = 0;
  bool contiguous = false;
};

// The tensors of the dictionary that holds the model: the pickled value itself, or what it has under "state_dict",
// "model_state_dict", "model", "module", or under its only key whose value holds tensors; `name` is for messages.
// Each tensor's elements lie within its storage as the pickle says it is.
Result<std::vector<TorchTensor>> FindTensors(const Pickle& pickle, std::string_view name);

// Every storage that the pickle mentions, in its tensors or not: older files have no other list of their types.
Result<std::vector<TorchStorage>> FindStorages(const Pickle& pickle, std::string_view name);

}  // namespace bothy
