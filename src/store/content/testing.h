// For tests: a content store over both databases, contents, and what clients make of them.
#pragma once

#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "codec/xet/chunker.h"
#include "codec/xet/golden_content.h"
#include "codec/xet/shard.h"
#include "codec/xet/xorb_builder.h"
#include "store/blobs/local_blob_store.h"
#include "store/content/content_store.h"
#include "store/database/testing.h"

namespace bothy::content {

using xet::BytesOf;

inline std::string RandomContent(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string content(size + 8, '\0');
  for (size_t i = 0; i < size; i += 8) {
    const uint64_t word = random();
    std::memcpy(content.data() + i, &word, 8);
  }
  content.resize(size);
  return content;
}

inline std::vector<std::string> ChunksOf(std::string_view content) {
  std::vector<std::string> chunks;
  xet::Chunker chunker;
  std::string open;
  while (!content.empty()) {
    const auto taken = chunker.Take(BytesOf(content));
    open += content.substr(0, taken.bytes);
    content.remove_prefix(taken.bytes);
    if (taken.ends_chunk) chunks.push_back(std::exchange(open, {}));
  }
  if (!open.empty()) chunks.push_back(open);
  return chunks;
}

// What a client without any history makes of files: their chunks in one xorb, and a shard.
struct Upload {
  std::string xorb;
  xet::Xorb parts;  // of it
  xet::Shard shard;
};

inline xet::ShardFile ShardFileOf(std::string_view content, const xet::Xorb& xorb, uint32_t first_chunk,
                                  const std::vector<std::string>& chunks) {
  xet::ShardFile file;
  xet::TreeHasher tree;
  std::vector<xet::Hash> hashes;
  for (const std::string& chunk : chunks) {
    hashes.push_back(xet::ChunkHash(BytesOf(chunk)));
    tree.Add(hashes.back(), chunk.size());
  }
  file.hash = xet::FileHash(tree.Finish());
  file.segments.push_back({xorb.hash, 0, static_cast<uint32_t>(content.size()), first_chunk,
                           first_chunk + static_cast<uint32_t>(chunks.size())});
  file.range_hashes.push_back(xet::RangeHash(hashes));
  file.sha256 = Sha256::Of(content);
  return file;
}

inline xet::ShardXorb ShardXorbOf(const xet::Xorb& xorb) {
  xet::ShardXorb entry;
  entry.hash = xorb.hash;
  entry.raw_bytes = xorb.chunks.back().raw_end;
  entry.stored_bytes = xorb.chunks.back().stored_end;
  uint32_t begin = 0;
  for (const xet::XorbChunk& chunk : xorb.chunks) {
    entry.chunks.push_back({chunk.hash, begin, chunk.raw_end - begin, 0});
    begin = chunk.raw_end;
  }
  return entry;
}

inline Upload UploadOf(const std::vector<std::string>& contents, xet::Scheme scheme = xet::Scheme::kLz4) {
  Upload upload;
  std::vector<std::string> all;
  std::vector<uint32_t> ends;
  for (const std::string& content : contents) {
    for (const std::string& chunk : ChunksOf(content)) {
      xet::AppendChunk(upload.xorb, scheme, chunk);
      ends.push_back(static_cast<uint32_t>(upload.xorb.size()));
      all.push_back(chunk);
    }
  }
  upload.parts = xet::XorbOf(all, ends);
  uint32_t first = 0;
  for (const std::string& content : contents) {
    const auto chunks = ChunksOf(content);
    upload.shard.files.push_back(ShardFileOf(content, upload.parts, first, chunks));
    first += static_cast<uint32_t>(chunks.size());
  }
  upload.shard.xorbs.push_back(ShardXorbOf(upload.parts));
  return upload;
}

inline std::unique_ptr<ByteSource> Source(const xet::Shard& shard) {
  return MemorySource("shard", xet::WriteShard(shard));
}

class ContentTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    database_ = DatabaseTest::Open();
    auto blobs = OpenLocalBlobStore(folder() / "blobs");
    ASSERT_OK(blobs);
    blobs_ = *std::move(blobs);
    Restart({});
  }

  // A store with other options over the same data.
  void Restart(Options options) {
    options.now = [this] { return now_; };
    store_.emplace(*database_, *blobs_, std::move(options));
  }

  Result<File> Send(std::string_view content, const ExpectedFile& expected = {}, size_t piece = 1 << 20) {
    const auto writer = store_->CreateFile(expected);
    while (!content.empty()) {
      TRY(writer->Write(content.substr(0, piece)));
      content.remove_prefix(std::min(piece, content.size()));
    }
    return writer->Finish();
  }

  Result<bool> SendXorb(const xet::Hash& hash, std::string_view bytes, int64_t uploader, size_t piece = 100'000) {
    const auto receiver = TRY(store_->ReceiveXorb(hash, uploader));
    while (!bytes.empty()) {
      TRY(receiver->Write(BytesOf(bytes.substr(0, piece))));
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    return receiver->Finish();
  }

  Result<ShardOutcome> Send(const Upload& upload, int64_t uploader) {
    TRY(SendXorb(upload.parts.hash, upload.xorb, uploader));
    return store_->RegisterShard(*Source(upload.shard), uploader);
  }

  std::string Content(const xet::Hash& file) const {
    const auto source = store_->Open(file, "file");
    EXPECT_OK(source);
    if (!source) return "";
    const auto content = (*source)->ReadAll(UINT64_MAX);
    EXPECT_OK(content);
    return content.value_or("");
  }

  // Names and sizes of all blobs.
  std::map<BlobName, uint64_t> Blobs() const {
    std::map<BlobName, uint64_t> blobs;
    std::optional<BlobName> last;
    while (true) {
      const auto page = blobs_->List(last);
      EXPECT_OK(page);
      if (!page || page->empty()) return blobs;
      for (const BlobInfo& blob : *page) blobs.emplace(blob.name, blob.size);
      last = page->back().name;
    }
  }
  uint64_t StoredBytes() const {
    uint64_t bytes = 0;
    for (const auto& [name, size] : Blobs()) bytes += size;
    return bytes;
  }

  int64_t Rows(const char* table) const {
    const auto count = database_->Read([&](Transaction& t) -> Result<int64_t> {
      if (std::string_view(table) == "files") return *TRY(t.QueryOne<int64_t>("SELECT count(*) FROM content_files"));
      return *TRY(t.QueryOne<int64_t>("SELECT count(*) FROM content_xorbs"));
    });
    EXPECT_OK(count);
    return count.value_or(-1);
  }

  Timestamp now_ = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);
  std::unique_ptr<Database> database_;
  std::unique_ptr<BlobStore> blobs_;
  std::optional<ContentStore> store_;
};

}  // namespace bothy::content
