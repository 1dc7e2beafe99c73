#include "codec/model_files.h"

#include "codec/gguf.h"

namespace bothy {

Result<ModelFiles> OpenModelFiles(const std::filesystem::path& path) {
  ModelFiles files;
  files.name = path.string();
  std::shared_ptr<const ByteSource> source = TRY(OpenFile(path));
  Gguf gguf = TRY(ReadGguf(std::move(source)));
  files.checkpoint = std::move(gguf.checkpoint);
  files.gguf = std::move(gguf.metadata);
  return files;
}

}  // namespace bothy
