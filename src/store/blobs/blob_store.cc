#include "store/blobs/blob_store.h"

#include <unistd.h>

namespace bothy {

FileSlice::~FileSlice() {
  if (fd_ >= 0) close(fd_);
}

Result<void> BlobStore::Commit(BlobName name, std::unique_ptr<BlobWriter> content) {
  std::vector<NewBlob> one;
  one.push_back({std::move(name), std::move(content)});
  return Commit(std::move(one));
}

Result<void> BlobStore::Put(const BlobName& name, std::span<const std::byte> bytes) {
  auto writer = TRY(Create(bytes.size()));
  TRY(writer->Write(bytes));
  return Commit(name, std::move(writer));
}

}  // namespace bothy
