#include "codec/model_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string_view>
#include <vector>

#include "codec/gguf.h"
#include "codec/llama2c.h"
#include "codec/safetensors.h"
#include "codec/shards.h"
#include "codec/torch_checkpoint.h"

namespace bothy {
namespace {

constexpr uint64_t kMaxConfigBytes = 16 << 20;
constexpr std::string_view kGguf = ".gguf";
constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::string_view kSafetensorsIndex = ".safetensors.index.json";
constexpr std::string_view kTorch = "pytorch_model.bin";
constexpr std::string_view kTorchIndex = ".bin.index.json";

Result<Checkpoint> ReadSafetensorsArrays(std::shared_ptr<const ByteSource> source) {
  return TRY(ReadSafetensors(std::move(source))).checkpoint;
}

// What a file is, by its first bytes or its name.
enum class Kind { kGguf, kSafetensors, kTorch, kLlama2c, kUnknown };

Result<Kind> KindOf(const ByteSource& source, std::string_view file) {
  std::array<char, 32> start{};
  const size_t size = std::min<uint64_t>(start.size(), source.size());
  TRY(source.Read(0, std::as_writable_bytes(std::span(start)).first(size)));
  const std::string_view bytes(start.data(), size);
  if (bytes.starts_with("version https://git-lfs")) {
    return Fail(ErrorCode::kFailedPrecondition,
                "{}: a pointer to the file in git-lfs, not the file itself: fetch it with \"git lfs pull\"",
                source.name());
  }
  if (file.ends_with(kGguf)) return Kind::kGguf;
  if (file.ends_with(kSafetensors)) return Kind::kSafetensors;
  if (bytes.starts_with("GGUF") || bytes.starts_with("FUGG")) return Kind::kGguf;
  if (LooksLikeTorchCheckpoint(bytes)) return Kind::kTorch;
  uint64_t length = 0;  // of a safetensors header
  std::memcpy(&length, start.data(), sizeof(length));
  if (length <= kMaxSafetensorsHeader && bytes.size() > 8 && bytes[8] == '{') return Kind::kSafetensors;
  // Version 0 of llama2.c begins with nothing of its own.
  if (bytes.starts_with("24ka") || file.ends_with(".bin")) return Kind::kLlama2c;
  return Kind::kUnknown;
}

class Opener {
 public:
  Opener(std::string name, std::shared_ptr<const Folder> folder) : folder_(*folder) {
    files_.name = std::move(name);
    files_.folder = std::move(folder);
  }

  Result<ModelFiles> Open(std::string_view file) {
    TRY(OpenArrays(file));
    if (!files_.gguf) {
      if (!files_.config) files_.config = TRY(folder_.ReadObject("config.json", kMaxConfigBytes));
      files_.generation_config = TRY(folder_.ReadObject("generation_config.json", kMaxConfigBytes));
    }
    return std::move(files_);
  }

  // The file that stands for the folder's model.
  Result<std::string> Choose() const {
    // The names that transformers looks for, in its order; then others of the same kinds, where there is just one.
    for (const std::string_view file :
         {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"}) {
      if (folder_.Has(file)) return std::string(file);
    }
    for (const std::string_view end : {kSafetensorsIndex, kSafetensors, kTorchIndex, kTorch}) {
      if (const auto file = TRY(OnlyOne(end))) return *file;
    }
    if (const auto file = TRY(OnlyGguf())) return *file;
    return Fail(
        ErrorCode::kNotFound,
        "{}: no model in this folder: looked for model.safetensors, model.safetensors.index.json, "
        "pytorch_model.bin, pytorch_model.bin.index.json, another *.safetensors or *pytorch_model.bin, and *.gguf",
        folder_.name());
  }

 private:
  Result<void> OpenArrays(std::string_view file) {
    if (file.ends_with(kSafetensorsIndex)) return OpenIndex(file, "safetensors", ReadSafetensorsArrays);
    if (file.ends_with(kTorchIndex)) return OpenIndex(file, "pytorch", ReadTorchCheckpoint);
    auto source = TRY(folder_.Open(file));
    switch (TRY(KindOf(*source, file))) {
      case Kind::kGguf: return OpenGguf(file);
      case Kind::kSafetensors:
        files_.format = "safetensors";
        files_.checkpoint = TRY(ReadSafetensorsArrays(std::move(source)));
        return {};
      case Kind::kTorch:
        files_.format = "pytorch";
        files_.checkpoint = TRY(ReadTorchCheckpoint(std::move(source)));
        return {};
      case Kind::kLlama2c: {
        auto llama = TRY(ReadLlama2c(std::move(source)));
        files_.format = "llama2.c";
        files_.checkpoint = std::move(llama.checkpoint);
        files_.config = std::move(llama.config);
        files_.rope_interleaved = true;
        return {};
      }
      case Kind::kUnknown: break;
    }
    return Fail(ErrorCode::kCorrupt,
                "{}: offset 0: expected the start of a GGUF, safetensors, PyTorch or llama2.c file, found none of them",
                source->name());
  }

  Result<void> OpenGguf(std::string_view file) {
    auto gguf = TRY(ReadGgufParts(folder_, file));
    files_.format = "gguf";
    files_.checkpoint = std::move(gguf.checkpoint);
    files_.gguf = std::move(gguf.metadata);
    return {};
  }

  Result<void> OpenIndex(std::string_view file, std::string_view format, const ShardReader& read) {
    files_.format = format;
    files_.checkpoint = TRY(ReadSharded(folder_, file, read));
    return {};
  }

  tl::unexpected<Error> Several(const std::vector<std::string>& names) const {
    return Fail(ErrorCode::kInvalidArgument, "{}: there are several models in this folder, name one of them: {}",
                folder_.name(), fmt::join(names, ", "));
  }

  Result<std::optional<std::string>> OnlyOne(std::string_view end) const {
    std::vector<std::string> found;
    for (const std::string& file : folder_.files()) {
      // An adapter is no model, it lies beside one.
      if (file.ends_with(end) && !file.starts_with("adapter_model")) found.push_back(file);
    }
    if (found.empty()) return std::nullopt;
    if (found.size() > 1) return Several(found);
    return found.front();
  }

  Result<std::optional<std::string>> OnlyGguf() const {
    std::set<std::string> models;  // a split one by its first part
    for (const std::string& file : folder_.files()) {
      if (!file.ends_with(kGguf)) continue;
      const auto split = ParseSplitName(file);
      models.insert(split ? split->Part(1) : file);
    }
    if (models.empty()) return std::nullopt;
    if (models.size() > 1) return Several({models.begin(), models.end()});
    return *models.begin();
  }

  ModelFiles files_;
  const Folder& folder_;
};

}  // namespace

Result<ModelFiles> OpenModelFiles(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return Fail(ErrorCode::kNotFound, "{}: there is no such file or folder", path.string());
  }
  if (std::filesystem::is_directory(status)) return OpenModelFiles(path.string(), TRY(OpenFolder(path)));
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  return OpenModelFiles(path.string(), TRY(OpenFolder(parent)), path.filename().string());
}

Result<ModelFiles> OpenModelFiles(std::string name, std::shared_ptr<const Folder> folder, std::string_view file) {
  Opener opener(std::move(name), std::move(folder));
  return opener.Open(file.empty() ? TRY(opener.Choose()) : std::string(file));
}

}  // namespace bothy
