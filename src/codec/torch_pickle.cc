#include "codec/torch_pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bothy {
namespace {

constexpr int kMaxNesting = 4;  // of dictionaries around the one with the tensors
constexpr size_t kMaxDimensions = 64;
// Elements of an array that repeats its storage's (torch.expand). Buffers of masks and positions are like that, weights
// are not.
constexpr uint64_t kMaxExpanded = 1 << 22;

enum Id : int {
  kOrderedDict,
  kRebuildTensor,
  kRebuildTensorV2,
  kRebuildTensorV3,
  kRebuildParameter,
  kRebuildParameterWithState,
  kRebuildFromType,
  kInert,          // may be mentioned, and called; nobody looks at the result
  kStorage = 100,  // + the DType of its elements
  kDType = 200,    // + the DType
};

constexpr int Storage(DType type) { return kStorage + static_cast<int>(type); }
constexpr int Type(DType type) { return kDType + static_cast<int>(type); }

constexpr PickleGlobal kGlobals[] = {
    {"collections", "OrderedDict", kOrderedDict},
    {"torch._utils", "_rebuild_tensor", kRebuildTensor},
    {"torch._utils", "_rebuild_tensor_v2", kRebuildTensorV2},
    {"torch._utils", "_rebuild_tensor_v3", kRebuildTensorV3},
    {"torch._utils", "_rebuild_parameter", kRebuildParameter},
    {"torch._utils", "_rebuild_parameter_with_state", kRebuildParameterWithState},
    {"torch._tensor", "_rebuild_from_type_v2", kRebuildFromType},
    {"torch", "Tensor", kInert},
    {"torch.nn.parameter", "Parameter", kInert},
    {"torch.nn.parameter", "Buffer", kInert},
    {"torch", "Size", kInert},
    {"torch", "device", kInert},
    {"_codecs", "encode", kInert},  // how protocol 2 writes bytes
    {"builtins", "set", kInert},
    {"__builtin__", "set", kInert},
    {"builtins", "bytearray", kInert},
    {"__builtin__", "bytearray", kInert},
    {"builtins", "complex", kInert},
    {"__builtin__", "complex", kInert},

    {"torch", "DoubleStorage", Storage(DType::kF64)},
    {"torch", "FloatStorage", Storage(DType::kF32)},
    {"torch", "HalfStorage", Storage(DType::kF16)},
    {"torch", "BFloat16Storage", Storage(DType::kBF16)},
    {"torch", "LongStorage", Storage(DType::kI64)},
    {"torch", "IntStorage", Storage(DType::kI32)},
    {"torch", "ShortStorage", Storage(DType::kI16)},
    {"torch", "CharStorage", Storage(DType::kI8)},
    {"torch", "ByteStorage", Storage(DType::kU8)},
    {"torch", "BoolStorage", Storage(DType::kBool)},
    {"torch", "ComplexFloatStorage", Storage(DType::kC64)},
    {"torch.storage", "UntypedStorage", Storage(DType::kU8)},
    {"torch", "UntypedStorage", Storage(DType::kU8)},
    {"torch.cuda", "DoubleStorage", Storage(DType::kF64)},
    {"torch.cuda", "FloatStorage", Storage(DType::kF32)},
    {"torch.cuda", "HalfStorage", Storage(DType::kF16)},
    {"torch.cuda", "BFloat16Storage", Storage(DType::kBF16)},
    {"torch.cuda", "LongStorage", Storage(DType::kI64)},
    {"torch.cuda", "IntStorage", Storage(DType::kI32)},
    {"torch.cuda", "ShortStorage", Storage(DType::kI16)},
    {"torch.cuda", "CharStorage", Storage(DType::kI8)},
    {"torch.cuda", "ByteStorage", Storage(DType::kU8)},
    {"torch.cuda", "BoolStorage", Storage(DType::kBool)},

    {"torch", "float64", Type(DType::kF64)},
    {"torch", "float32", Type(DType::kF32)},
    {"torch", "float16", Type(DType::kF16)},
    {"torch", "bfloat16", Type(DType::kBF16)},
    {"torch", "float8_e4m3fn", Type(DType::kF8E4M3)},
    {"torch", "float8_e5m2", Type(DType::kF8E5M2)},
    {"torch", "float8_e8m0fnu", Type(DType::kF8E8M0)},
    {"torch", "int64", Type(DType::kI64)},
    {"torch", "int32", Type(DType::kI32)},
    {"torch", "int16", Type(DType::kI16)},
    {"torch", "int8", Type(DType::kI8)},
    {"torch", "uint64", Type(DType::kU64)},
    {"torch", "uint32", Type(DType::kU32)},
    {"torch", "uint16", Type(DType::kU16)},
    {"torch", "uint8", Type(DType::kU8)},
    {"torch", "bool", Type(DType::kBool)},
    {"torch", "complex64", Type(DType::kC64)},
};

std::string_view NameOf(int id) {
  const auto found = std::ranges::find(kGlobals, id, &PickleGlobal::id);
  return found != std::end(kGlobals) ? found->name : "nothing";
}

bool IsDict(PickleValue value) {
  return value.is(PickleKind::kDict) || (value.is(PickleKind::kCall) && value.global() == kOrderedDict);
}

bool IsTensor(PickleValue value) {
  if (!value.is(PickleKind::kCall)) return false;
  const int id = value.global();
  return id >= kRebuildTensor && id <= kRebuildFromType;
}

// Calls use(key, value) for what the dictionary holds; Python 2 gave an OrderedDict its items as an argument.
template <class Use>
Result<void> ForEach(PickleValue dict, Use use) {
  if (dict.is(PickleKind::kCall) && dict.argument().size() > 0 && dict.argument().at(0).is(PickleKind::kList)) {
    const PickleValue items = dict.argument().at(0);
    for (size_t i = 0; i < items.size(); i++) {
      const PickleValue item = items.at(i);
      if ((item.is(PickleKind::kList) || item.is(PickleKind::kTuple)) && item.size() == 2) {
        TRY(use(item.at(0), item.at(1)));
      }
    }
  }
  for (size_t i = 0; i < dict.size(); i++) TRY(use(dict.key(i), dict.value(i)));
  return {};
}

bool HasTensors(PickleValue dict) {
  // An error is how the walk is left early.
  return !ForEach(dict, [](PickleValue key, PickleValue value) -> Result<void> {
    if (!key.is(PickleKind::kString) || !IsTensor(value)) return {};
    return Fail(ErrorCode::kAlreadyExists, "found");
  });
}

class Reader {
 public:
  explicit Reader(std::string_view name) : name_(name) {}

  Result<PickleValue> FindDict(PickleValue value) const {
    for (int depth = 0; depth <= kMaxNesting; depth++) {
      if (!IsDict(value)) break;
      if (HasTensors(value)) return value;
      const auto next = Inner(value);
      if (!next) break;
      value = *next;
    }
    return Fail(ErrorCode::kCorrupt, "{}: expected a dictionary of tensors, found {}", name_, Describe(value));
  }

  Result<TorchTensor> Tensor(std::string_view key, PickleValue value) const {
    TorchTensor tensor;
    tensor.name = key;
    PickleValue call = value;
    // Parameters wrap a tensor, subclasses a function and its arguments.
    for (int depth = 0;; depth++) {
      if (depth > kMaxNesting || !IsTensor(call)) return Wrong(tensor, "a tensor", Describe(call));
      const PickleValue arguments = call.argument();
      if (call.global() == kRebuildParameter || call.global() == kRebuildParameterWithState) {
        if (arguments.size() < 1) return Wrong(tensor, "a tensor", "nothing");
        call = arguments.at(0);
      } else if (call.global() == kRebuildFromType) {
        if (arguments.size() < 3 || !arguments.at(0).is(PickleKind::kGlobal) ||
            !arguments.at(2).is(PickleKind::kTuple)) {
          return Wrong(tensor, "a function and its arguments", "something else");
        }
        TRY(Rebuild(arguments.at(0).global(), arguments.at(2), tensor));
        return tensor;
      } else {
        TRY(Rebuild(call.global(), arguments, tensor));
        return tensor;
      }
    }
  }

  // ("storage", type, key, location, elements[, (key of the part, offset, elements)])
  Result<TorchStorage> StorageOf(PickleValue value, std::string_view what) const {
    const auto wrong = [&](std::string_view expected) {
      return Fail(ErrorCode::kCorrupt, "{}: {}: expected {}", name_, what, expected);
    };
    if (!value.is(PickleKind::kPersistent)) return wrong("a storage");
    const PickleValue id = value.argument();
    if (!id.is(PickleKind::kTuple) || id.size() < 5 || !id.at(0).is(PickleKind::kString) ||
        id.at(0).text() != "storage" || !id.at(1).is(PickleKind::kGlobal)) {
      return wrong("a persistent id that names a storage");
    }
    const int type = id.at(1).global();
    if (type < kStorage || type >= kDType) return wrong("a type of storage");
    TorchStorage storage;
    storage.dtype = static_cast<DType>(type - kStorage);
    if (id.at(2).is(PickleKind::kString)) {
      storage.key = id.at(2).text();
    } else if (id.at(2).is(PickleKind::kInteger)) {
      storage.key = std::to_string(id.at(2).integer());
    } else {
      return wrong("a storage with a key");
    }
    const auto elements = Size(id.at(4));
    const auto bytes = elements ? RowBytes(storage.dtype, *elements) : std::nullopt;
    if (!bytes) return wrong("a storage with a number of elements");
    storage.size = *bytes;
    if (id.size() > 5 && id.at(5).is(PickleKind::kTuple)) {
      const PickleValue part = id.at(5);
      const auto offset = part.size() == 3 ? Size(part.at(1)) : std::nullopt;
      const auto offset_bytes = offset ? RowBytes(storage.dtype, *offset) : std::nullopt;
      const auto part_elements = part.size() == 3 ? Size(part.at(2)) : std::nullopt;
      if (!offset_bytes || !part_elements || *offset > *elements || *part_elements > *elements - *offset) {
        return wrong("a part within its storage");
      }
      storage.offset = *offset_bytes;
      storage.size = RowBytes(storage.dtype, *part_elements).value_or(0);
    }
    return storage;
  }

 private:
  static std::optional<uint64_t> Size(PickleValue value) {
    if (!value.is(PickleKind::kInteger) || value.integer() < 0) return std::nullopt;
    return static_cast<uint64_t>(value.integer());
  }

  // A tuple of integers, or torch.Size of one.
  static std::optional<std::vector<uint64_t>> Sizes(PickleValue value) {
    if (value.is(PickleKind::kCall) && value.global() == kInert && value.argument().size() == 1) {
      value = value.argument().at(0);
    }
    if ((!value.is(PickleKind::kTuple) && !value.is(PickleKind::kList)) || value.size() > kMaxDimensions)
      return std::nullopt;
    std::vector<uint64_t> sizes;
    for (size_t i = 0; i < value.size(); i++) {
      const auto size = Size(value.at(i));
      if (!size) return std::nullopt;
      sizes.push_back(*size);
    }
    return sizes;
  }

  static std::string Describe(PickleValue value) {
    if (value.is(PickleKind::kCall)) return fmt::format("an object of \"{}\"", NameOf(value.global()));
    if (!IsDict(value)) return std::string(PickleKindName(value.kind()));
    std::string keys;
    for (size_t i = 0; i < std::min<size_t>(value.size(), 8); i++) {
      if (!value.key(i).is(PickleKind::kString)) continue;
      keys += fmt::format("{}\"{}\"", keys.empty() ? "" : ", ", value.key(i).text().substr(0, 64));
    }
    return fmt::format("one of {} keys without any: {}{}", value.size(), keys, value.size() > 8 ? ", ..." : "");
  }

  // The dictionary within that holds the model.
  static std::optional<PickleValue> Inner(PickleValue dict) {
    static constexpr std::string_view kNames[] = {"state_dict", "model_state_dict", "model", "module"};
    std::optional<PickleValue> known, only;
    size_t best = std::size(kNames), with_tensors = 0;
    std::set<uint32_t> seen;  // a million keys may all name one large dictionary
    (void)ForEach(dict, [&](PickleValue key, PickleValue value) -> Result<void> {
      if (!key.is(PickleKind::kString) || !IsDict(value)) return {};
      const auto place = static_cast<size_t>(std::ranges::find(kNames, key.text()) - std::begin(kNames));
      if (place < best) {
        best = place;
        known = value;
      }
      if (seen.insert(value.identity()).second && HasTensors(value)) {
        with_tensors++;
        only = value;
      }
      return {};
    });
    if (known) return known;
    return with_tensors == 1 ? only : std::nullopt;
  }

  tl::unexpected<Error> Wrong(const TorchTensor& tensor, std::string_view expected, std::string_view found) const {
    return Fail(ErrorCode::kCorrupt, "{}: array \"{}\": expected {}, found {}", name_, tensor.name, expected, found);
  }

  // (storage, offset, size, stride, requires_grad, hooks[, metadata]); v3 has the type before the metadata.
  Result<void> Rebuild(int function, PickleValue arguments, TorchTensor& tensor) const {
    const size_t least = function == kRebuildTensor ? 4 : function == kRebuildTensorV2 ? 6 : 7;
    if (function < kRebuildTensor || function > kRebuildTensorV3 || arguments.size() < least) {
      return Wrong(tensor, "the arguments of a tensor", "something else");
    }
    tensor.storage = TRY(StorageOf(arguments.at(0), fmt::format("array \"{}\"", tensor.name)));
    tensor.dtype = tensor.storage.dtype;
    if (function == kRebuildTensorV3) {
      const PickleValue type = arguments.at(6);
      if (!type.is(PickleKind::kGlobal) || type.global() < kDType) return Wrong(tensor, "a dtype", "something else");
      tensor.dtype = static_cast<DType>(type.global() - kDType);
    }
    const size_t metadata = function == kRebuildTensorV3 ? 7 : 6;
    if (arguments.size() > metadata && arguments.at(metadata).is(PickleKind::kDict) &&
        arguments.at(metadata).size() > 0) {
      return Fail(ErrorCode::kUnimplemented,
                  "{}: array \"{}\": tensors with metadata (conjugate views) are not supported", name_, tensor.name);
    }
    const auto offset = Size(arguments.at(1));
    const auto shape = Sizes(arguments.at(2));
    const auto strides = Sizes(arguments.at(3));
    if (!offset || !shape || !strides || shape->size() != strides->size()) {
      return Wrong(tensor, "an offset, sizes and as many strides", "something else");
    }
    tensor.offset = *offset;
    tensor.shape = *shape;
    tensor.strides = *strides;
    return Measure(tensor);
  }

  // The number of elements, whether they lie in order, and whether all lie in the storage.
  Result<void> Measure(TorchTensor& tensor) const {
    uint64_t elements = 1, last = tensor.offset, bytes = 0;
    bool fits = true;
    tensor.contiguous = true;
    const bool empty = std::ranges::find(tensor.shape, 0u) != tensor.shape.end();
    for (size_t i = tensor.shape.size(); i-- > 0;) {
      const uint64_t n = tensor.shape[i], stride = tensor.strides[i];
      if (n != 1 && stride != elements) tensor.contiguous = empty;
      uint64_t far = 0;
      fits = fits && !__builtin_mul_overflow(elements, n, &elements) &&
             (empty || (!__builtin_mul_overflow(n - 1, stride, &far) && !__builtin_add_overflow(last, far, &last)));
    }
    tensor.elements = elements;
    const uint64_t element = InfoOf(tensor.dtype).bytes;
    const uint64_t room = tensor.storage.size / element;
    if (!fits || (empty ? tensor.offset > room : last >= room) || __builtin_mul_overflow(elements, element, &bytes)) {
      return Wrong(tensor, fmt::format("elements within a storage of {}", room),
                   fmt::format("shape [{}] with strides [{}] from {} on", fmt::join(tensor.shape, ", "),
                               fmt::join(tensor.strides, ", "), tensor.offset));
    }
    if (elements > room && elements > kMaxExpanded) {
      return Wrong(tensor, fmt::format("at most {} elements of a storage of {}", kMaxExpanded, room),
                   fmt::format("shape [{}]", fmt::join(tensor.shape, ", ")));
    }
    return {};
  }

  std::string_view name_;
};

}  // namespace

std::span<const PickleGlobal> TorchGlobals() { return kGlobals; }

Result<std::vector<TorchTensor>> FindTensors(const Pickle& pickle, std::string_view name) {
  const Reader reader(name);
  std::vector<TorchTensor> tensors;
  TRY(ForEach(TRY(reader.FindDict(pickle.root())), [&](PickleValue key, PickleValue value) -> Result<void> {
    if (key.is(PickleKind::kString) && IsTensor(value)) tensors.push_back(TRY(reader.Tensor(key.text(), value)));
    return {};
  }));
  return tensors;
}

Result<std::vector<TorchStorage>> FindStorages(const Pickle& pickle, std::string_view name) {
  const Reader reader(name);
  std::vector<TorchStorage> storages;
  for (const PickleValue value : pickle.PersistentIds()) {
    storages.push_back(TRY(reader.StorageOf(value, "storage")));
  }
  return storages;
}

}  // namespace bothy
