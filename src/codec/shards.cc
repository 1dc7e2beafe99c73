#include "codec/shards.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <string>
#include <vector>

namespace bothy {
namespace {

constexpr uint64_t kMaxIndexBytes = 256 << 20;  // 100,000 arrays take 10 MB
constexpr std::string_view kGgufEnd = ".gguf";

// The arrays of several checkpoints in one.
class Joiner {
 public:
  void Add(const Checkpoint& part) {
    base_ = static_cast<uint32_t>(sources_.size());
    sources_.insert(sources_.end(), part.sources().begin(), part.sources().end());
  }
  // An array of the part added last.
  void Take(ArrayInfo array) {
    array.source += base_;
    arrays_.push_back(std::move(array));
  }
  Result<Checkpoint> Join() { return Checkpoint::Create(std::move(sources_), std::move(arrays_)); }

 private:
  std::vector<std::shared_ptr<const ByteSource>> sources_;
  std::vector<ArrayInfo> arrays_;
  uint32_t base_ = 0;
};

std::optional<uint32_t> FiveDigits(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.size() != 5 || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A part has to say of itself which one it is.
Result<void> CheckPart(const std::string& file, const GgufMetadata& metadata, const SplitName& name, uint32_t number) {
  const auto part = TRY(metadata.GetInt("split.no"));
  const auto count = TRY(metadata.GetInt("split.count"));
  if (part == number - 1 && count == name.count) return {};
  return Fail(ErrorCode::kCorrupt, "{}: keys \"split.no\", \"split.count\": expected {}, {}, found {}, {}", file,
              number - 1, name.count, part.value_or(-1), count.value_or(-1));
}

}  // namespace

Result<Checkpoint> ReadSharded(const Folder& folder, std::string_view index, const ShardReader& read) {
  const auto object = TRY(folder.ReadObject(index, kMaxIndexBytes));
  if (!object) return Fail(ErrorCode::kNotFound, "{}: there is no file \"{}\"", folder.name(), index);
  const json::object* map = json::FindObject(*object, "weight_map");
  if (map == nullptr) {
    return Fail(ErrorCode::kCorrupt, "{}/{}: key \"weight_map\": expected an object, found none", folder.name(), index);
  }
  std::map<std::string_view, std::vector<std::string_view>> files;  // arrays by file
  for (const auto& [name, file] : *map) {
    if (!file.is_string()) {
      return Fail(ErrorCode::kCorrupt, "{}/{}: key \"weight_map\": \"{}\": expected the name of a file", folder.name(),
                  index, std::string_view(name));
    }
    files[file.get_string()].push_back(name);
  }
  Joiner joiner;
  for (const auto& [file, names] : files) {
    const Checkpoint part = TRY_CONTEXT(index, read(TRY_CONTEXT(index, folder.Open(file))));
    joiner.Add(part);
    for (const std::string_view name : names) {
      const ArrayInfo* array = part.Find(name);
      if (array == nullptr) {
        return Fail(ErrorCode::kCorrupt, "{}/{}: key \"weight_map\": expected array \"{}\" in \"{}\", found none",
                    folder.name(), index, name, file);
      }
      joiner.Take(*array);
    }
  }
  return joiner.Join();
}

std::string SplitName::Part(uint32_t number) const {
  return fmt::format("{}-{:05}-of-{:05}{}", prefix, number, count, kGgufEnd);
}

std::optional<SplitName> ParseSplitName(std::string_view file) {
  constexpr std::string_view kOf = "-of-";
  constexpr size_t kTail = 1 + 5 + kOf.size() + 5;  // "-00001-of-00003"
  if (!file.ends_with(kGgufEnd)) return std::nullopt;
  file.remove_suffix(kGgufEnd.size());
  if (file.size() < kTail) return std::nullopt;
  const std::string_view tail = file.substr(file.size() - kTail);
  const auto part = FiveDigits(tail.substr(1, 5));
  const auto count = FiveDigits(tail.substr(tail.size() - 5));
  if (tail[0] != '-' || tail.substr(6, kOf.size()) != kOf || !part || !count) return std::nullopt;
  if (*part < 1 || *part > *count) return std::nullopt;
  return SplitName{std::string(file.substr(0, file.size() - kTail)), *part, *count};
}

Result<Gguf> ReadGgufParts(const Folder& folder, std::string_view file) {
  auto gguf = TRY(ReadGguf(TRY(folder.Open(file))));
  const auto count = TRY(gguf.metadata.GetInt("split.count")).value_or(1);
  if (count <= 1) return gguf;
  const auto name = ParseSplitName(file);
  if (!name || name->count != count) {
    return Fail(ErrorCode::kFailedPrecondition,
                "{}/{}: key \"split.count\": it is one part of {}, and only with the name \"NAME-00001-of-{:05}.gguf\" "
                "the others beside it can be found",
                folder.name(), file, count, count);
  }
  Gguf whole;
  Joiner joiner;
  for (uint32_t number = 1; number <= name->count; number++) {
    const std::string part_file = name->Part(number);
    Gguf part = number == name->part ? std::move(gguf) : TRY(ReadGguf(TRY(folder.Open(part_file))));
    TRY(CheckPart(fmt::format("{}/{}", folder.name(), part_file), part.metadata, *name, number));
    joiner.Add(part.checkpoint);
    for (const ArrayInfo& array : part.checkpoint.arrays()) joiner.Take(array);
    if (number == 1) whole = std::move(part);
  }
  const auto expected = TRY(whole.metadata.GetInt("split.tensors.count"));
  whole.checkpoint = TRY(joiner.Join());
  if (expected && static_cast<uint64_t>(*expected) != whole.checkpoint.arrays().size()) {
    return Fail(ErrorCode::kCorrupt, "{}/{}: key \"split.tensors.count\": expected {} tensors in all parts, found {}",
                folder.name(), name->Part(1), *expected, whole.checkpoint.arrays().size());
  }
  return whole;
}

}  // namespace bothy
