#include "codec/torch_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/byte_reader.h"
#include "codec/derived_source.h"
#include "codec/torch_pickle.h"
#include "codec/zip.h"

namespace bothy {
namespace {

constexpr uint64_t kMaxPickle = 1 << 29;  // an array takes about 200 bytes
constexpr std::string_view kPickleName = "data.pkl";
// torch/serialization.py: MAGIC_NUMBER as a pickle of protocol 2 (its end may differ), and PROTOCOL_VERSION.
constexpr std::string_view kOldMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 14);
constexpr int64_t kOldProtocol = 1001;

// The bytes of a storage.
struct StoredBytes {
  std::shared_ptr<const ByteSource> source;
  uint64_t offset = 0;
  uint64_t size = 0;
};

// Collects tensors as arrays of a checkpoint.
class Collector {
 public:
  explicit Collector(std::shared_ptr<const ByteSource> file) : name_(file->name()) { AddSource(std::move(file)); }

  // `bytes` are the storage's, as the pickle calls it.
  Result<void> Add(const TorchTensor& tensor, const StoredBytes& bytes) {
    const uint64_t element = InfoOf(tensor.dtype).bytes;
    const uint64_t needed = tensor.storage.offset + tensor.storage.size;
    if (needed > bytes.size) {
      return Fail(ErrorCode::kCorrupt, "{}: array \"{}\": expected a storage \"{}\" of {} bytes, found {}", name_,
                  tensor.name, tensor.storage.key, needed, bytes.size);
    }
    ArrayInfo array = {.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape};
    array.size = tensor.elements * element;
    const uint64_t begin = bytes.offset + tensor.storage.offset;
    if (tensor.contiguous) {
      array.source = AddSource(bytes.source);
      array.offset = begin + tensor.offset * element;
    } else {
      MakeBytes make = [tensor, source = bytes.source, begin] { return PutInOrder(tensor, *source, begin); };
      array.source = AddSource(MadeSource(name_, array.size, std::move(make), last_));
    }
    arrays_.push_back(std::move(array));
    return {};
  }

  Result<Checkpoint> Finish() { return Checkpoint::Create(std::move(sources_), std::move(arrays_)); }

 private:
  uint32_t AddSource(std::shared_ptr<const ByteSource> source) {
    const auto [found, added] = indexes_.emplace(source.get(), static_cast<uint32_t>(sources_.size()));
    if (added) sources_.push_back(std::move(source));
    return found->second;
  }

  // A tensor's elements row by row, gathered from the part of the storage that they span.
  static Result<std::vector<std::byte>> PutInOrder(const TorchTensor& tensor, const ByteSource& source,
                                                   uint64_t begin) {
    const size_t element = InfoOf(tensor.dtype).bytes;
    uint64_t span = 1;
    for (size_t i = 0; i < tensor.shape.size(); i++) span += (tensor.shape[i] - 1) * tensor.strides[i];
    std::vector<std::byte> stored(static_cast<size_t>(span) * element);
    TRY(source.Read(begin + tensor.offset * element, stored));
    std::vector<std::byte> ordered(static_cast<size_t>(tensor.elements) * element);
    std::vector<uint64_t> index(tensor.shape.size(), 0);
    uint64_t from = 0;
    for (size_t to = 0; to < ordered.size(); to += element) {
      std::memcpy(ordered.data() + to, stored.data() + from * element, element);
      for (size_t i = index.size(); i-- > 0;) {
        from += tensor.strides[i];
        if (++index[i] < tensor.shape[i]) break;
        from -= tensor.shape[i] * tensor.strides[i];
        index[i] = 0;
      }
    }
    return ordered;
  }

  std::string name_;
  std::vector<std::shared_ptr<const ByteSource>> sources_;
  std::map<const ByteSource*, uint32_t> indexes_;
  std::vector<ArrayInfo> arrays_;
  std::shared_ptr<LastMade> last_ = NewLastMade();
};

// "NAME/" of the one member NAME/data.pkl.
Result<std::string> FindPrefix(const ZipArchive& zip) {
  std::optional<std::string> prefix;
  for (const ZipMember& member : zip.members()) {
    if (!member.name.ends_with(kPickleName)) continue;
    std::string before = member.name.substr(0, member.name.size() - kPickleName.size());
    if (!before.empty() && before.find('/') != before.size() - 1) continue;  // deeper, or the end of another name
    if (prefix) {
      return Fail(ErrorCode::kCorrupt, "{}: expected one checkpoint, found \"{}{}\" and \"{}\"", zip.name(), *prefix,
                  kPickleName, member.name);
    }
    prefix = std::move(before);
  }
  if (!prefix) return Fail(ErrorCode::kCorrupt, "{}: expected a member NAME/{}, found none", zip.name(), kPickleName);
  if (const ZipMember* constants = zip.Find(*prefix + "constants.pkl")) {
    return Fail(ErrorCode::kUnimplemented,
                "{}: member \"{}\": a TorchScript program, not a checkpoint of arrays, is not supported", zip.name(),
                constants->name);
  }
  return *std::move(prefix);
}

Result<Checkpoint> ReadZip(std::shared_ptr<const ByteSource> source) {
  const ZipArchive zip = TRY(ZipArchive::Open(source));
  const std::string prefix = TRY(FindPrefix(zip));
  if (const ZipMember* order = zip.Find(prefix + "byteorder")) {
    const std::string text = TRY(zip.ReadMember(*order, 64));
    if (text != "little") {
      return Fail(ErrorCode::kUnimplemented, "{}: member \"{}\": expected \"little\", found \"{}\"", zip.name(),
                  order->name, text);
    }
  }
  const auto pickle_source = TRY(zip.OpenMember(*zip.Find(prefix + std::string(kPickleName))));
  ByteReader reader(*pickle_source, kMaxPickle);
  const Pickle pickle = TRY(Pickle::Read(reader, pickle_source->name(), TorchGlobals()));
  Collector collector(source);
  std::map<std::string, StoredBytes> storages;
  for (const TorchTensor& tensor : TRY(FindTensors(pickle, source->name()))) {
    auto found = storages.find(tensor.storage.key);
    if (found == storages.end()) {
      const std::string name = fmt::format("{}data/{}", prefix, tensor.storage.key);
      const ZipMember* member = zip.Find(name);
      if (member == nullptr) {
        return Fail(ErrorCode::kCorrupt, "{}: array \"{}\": expected a member \"{}\", found none", zip.name(),
                    tensor.name, name);
      }
      const auto bytes = TRY(zip.OpenMember(*member));
      // A stored one is read from the file itself, so that its place in the file can be seen.
      const StoredBytes stored = member->method == 0 ? StoredBytes{source, TRY(zip.DataOffset(*member)), member->size}
                                                     : StoredBytes{bytes, 0, member->size};
      found = storages.emplace(tensor.storage.key, stored).first;
    }
    TRY(collector.Add(tensor, found->second));
  }
  return collector.Finish();
}

// The value of a key of a pickled dictionary.
std::optional<PickleValue> Find(PickleValue dict, std::string_view key) {
  if (!dict.is(PickleKind::kDict)) return std::nullopt;
  for (size_t i = 0; i < dict.size(); i++) {
    if (dict.key(i).is(PickleKind::kString) && dict.key(i).text() == key) return dict.value(i);
  }
  return std::nullopt;
}

// Pickles of a magic number, a version, facts about the machine, the object, and the storages' keys; then each storage:
// its number of elements, and they.
Result<Checkpoint> ReadOld(std::shared_ptr<const ByteSource> source) {
  const std::string& name = source->name();
  ByteReader reader(*source);
  TRY(Pickle::Read(reader, name, {}));  // the magic number, known by its bytes
  const Pickle protocol = TRY(Pickle::Read(reader, name, {}));
  if (!protocol.root().is(PickleKind::kInteger) || protocol.root().integer() != kOldProtocol) {
    return Fail(ErrorCode::kCorrupt, "{}: expected a checkpoint of protocol {}, found another", name, kOldProtocol);
  }
  const Pickle machine = TRY(Pickle::Read(reader, name, {}));
  const auto little = Find(machine.root(), "little_endian");
  if (little && little->is(PickleKind::kBool) && !little->boolean()) {
    return Fail(ErrorCode::kUnimplemented, "{}: key \"little_endian\": big-endian checkpoints are not supported", name);
  }
  const Pickle object = TRY(Pickle::Read(reader, name, TorchGlobals()));
  const Pickle keys = TRY(Pickle::Read(reader, name, {}));

  std::map<std::string, uint64_t> element_sizes;
  for (const TorchStorage& storage : TRY(FindStorages(object, name))) {
    element_sizes[storage.key] = InfoOf(storage.dtype).bytes;
  }
  const PickleValue list = keys.root();
  if (!list.is(PickleKind::kList)) {
    return Fail(ErrorCode::kCorrupt, "{}: expected a list of the storages' keys, found {}", name,
                PickleKindName(list.kind()));
  }
  std::map<std::string, StoredBytes> storages;
  for (size_t i = 0; i < list.size(); i++) {
    const std::string key = list.at(i).is(PickleKind::kString)    ? std::string(list.at(i).text())
                            : list.at(i).is(PickleKind::kInteger) ? std::to_string(list.at(i).integer())
                                                                  : "";
    const auto element = element_sizes.find(key);
    if (element == element_sizes.end()) {
      return Fail(ErrorCode::kCorrupt, "{}: expected the keys of storages that are used, found \"{}\"", name, key);
    }
    const std::string what = fmt::format("storage \"{}\"", key);
    const auto elements = TRY(reader.Number<uint64_t>(what));
    uint64_t size = 0;
    if (__builtin_mul_overflow(elements, element->second, &size)) size = ~uint64_t{0};
    storages[key] = {source, reader.offset(), size};
    TRY(reader.Skip(size, what));
  }

  Collector collector(source);
  for (const TorchTensor& tensor : TRY(FindTensors(object, name))) {
    const auto found = storages.find(tensor.storage.key);
    if (found == storages.end()) {
      return Fail(ErrorCode::kCorrupt, "{}: array \"{}\": expected a storage \"{}\", found none", name, tensor.name,
                  tensor.storage.key);
    }
    TRY(collector.Add(tensor, found->second));
  }
  return collector.Finish();
}

}  // namespace

bool LooksLikeTorchCheckpoint(std::string_view start) {
  return start.starts_with("PK\x03\x04") || start.starts_with(kOldMagic);
}

Result<Checkpoint> ReadTorchCheckpoint(std::shared_ptr<const ByteSource> source) {
  std::string start(static_cast<size_t>(std::min<uint64_t>(source->size(), kOldMagic.size())), '\0');
  TRY(source->Read(0, std::as_writable_bytes(std::span(start))));
  if (start.starts_with(kOldMagic)) return ReadOld(std::move(source));
  return ReadZip(std::move(source));
}

}  // namespace bothy
