// What it costs to keep large content: time, room on the disk, room in the database.
//
//   content_bench FOLDER [MB]
//
// FOLDER lies on the disk to be measured and gets a store of its own. MB of random content (1024 without) come as plain
// bytes, again, with 1 % of it changed in ten places, and then another MB of them as xorbs and a shard.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <string>

#include "codec/xet/chunker.h"
#include "codec/xet/shard.h"
#include "store/blobs/local_blob_store.h"
#include "store/content/content_store.h"

namespace bothy::content {
namespace {

constexpr size_t kPiece = 1 << 20;

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// A MB of the content that `seed` stands for.
std::vector<std::byte> Piece(uint64_t seed, uint64_t number) {
  std::mt19937_64 random(seed * 1'000'003 + number);
  std::vector<std::byte> piece(kPiece);
  for (size_t i = 0; i < kPiece; i += 8) {
    const uint64_t word = random();
    std::memcpy(piece.data() + i, &word, 8);
  }
  return piece;
}

struct Bench {
  Database& database;
  ContentStore& store;
  std::filesystem::path folder;

  uint64_t DatabaseBytes() const {
    uint64_t bytes = 0;
    for (const char* name : {"bothy.db", "bothy.db-wal"}) {
      std::error_code error;
      const auto size = std::filesystem::file_size(folder / name, error);
      if (!error) bytes += size;
    }
    return bytes;
  }

  // Runs and says what it cost; making the content is not counted.
  Result<void> Measure(std::string_view what, uint64_t megabytes,
                       const std::function<Result<void>(double& made)>& run) {
    const uint64_t stored = TRY(store.Total()).stored_bytes, rows = DatabaseBytes();
    double made = 0;
    const double start = Now();
    TRY(run(made));
    const double seconds = Now() - start - made;
    const auto more = static_cast<double>(TRY(store.Total()).stored_bytes - stored);
    fmt::print("{:<34}{:>8.0f} MB/s   stored {:>7.2f} MB ({:.2f} %)   database {:>6.2f} MB\n", what,
               static_cast<double>(megabytes) * kPiece / 1e6 / seconds, more / 1e6,
               100 * more / static_cast<double>(megabytes * kPiece), static_cast<double>(DatabaseBytes() - rows) / 1e6);
    return {};
  }

  Result<void> Plain(uint64_t megabytes, bool changed, double& made) {
    const auto writer = store.CreateFile();
    for (uint64_t i = 0; i < megabytes; i++) {
      const double start = Now();
      std::vector<std::byte> piece = Piece(1, i);
      // Ten runs of a thousandth of the file, and a byte before each, which shifts all that follows.
      const uint64_t run = std::max<uint64_t>(megabytes / 10, 1);
      if (changed && i % run == run / 2) {
        piece = Piece(2, i);
        piece.push_back(std::byte{1});
      }
      made += Now() - start;
      TRY(writer->Write(piece));
    }
    TRY(writer->Finish());
    return {};
  }

  // Xorbs as a client sends them whose content does not pack.
  Result<void> Xet(uint64_t megabytes, double& made) {
    xet::Shard shard;
    xet::ShardFile& file = shard.files.emplace_back();
    xet::Chunker chunker;
    xet::TreeHasher file_tree, xorb_tree;
    std::vector<std::byte> chunk, xorb;
    uint32_t raw_bytes = 0, chunks = 0;
    const double begun = Now();
    double taken_in = 0;
    const auto send = [&]() -> Result<void> {
      const xet::Hash hash = xorb_tree.Finish();
      file.segments.push_back({hash, 0, raw_bytes, 0, chunks});
      raw_bytes = chunks = 0;
      const double start = Now();
      const auto receiver = TRY(store.ReceiveXorb(hash, 1));
      for (std::span<const std::byte> left(xorb); !left.empty(); left = left.subspan(std::min(kPiece, left.size()))) {
        TRY(receiver->Write(left.first(std::min(kPiece, left.size()))));
      }
      TRY(receiver->Finish());
      taken_in += Now() - start;
      xorb.clear();
      return {};
    };
    const auto add = [&]() -> Result<void> {
      const auto size = static_cast<uint32_t>(chunk.size());
      if (raw_bytes + size > xet::kMaxXorbRawBytes) TRY(send());
      const auto header = xet::ChunkHeader(xet::Scheme::kNone, size, size);
      xorb.insert(xorb.end(), header.begin(), header.end());
      xorb.insert(xorb.end(), chunk.begin(), chunk.end());
      const xet::Hash hash = xet::ChunkHash(chunk);
      xorb_tree.Add(hash, size);
      file_tree.Add(hash, size);
      raw_bytes += size;
      chunks++;
      chunk.clear();
      return {};
    };
    for (uint64_t i = 0; i < megabytes; i++) {
      const std::vector<std::byte> piece = Piece(3, i);
      for (std::span<const std::byte> left(piece); !left.empty();) {
        const auto taken = chunker.Take(left);
        chunk.insert(chunk.end(), left.begin(), left.begin() + static_cast<ptrdiff_t>(taken.bytes));
        left = left.subspan(taken.bytes);
        if (taken.ends_chunk) TRY(add());
      }
    }
    if (!chunk.empty()) TRY(add());
    TRY(send());
    file.hash = xet::FileHash(file_tree.Finish());
    made = Now() - begun - taken_in;
    TRY(store.RegisterShard(*MemorySource("shard", xet::WriteShard(shard)), 1));
    return {};
  }
};

Result<void> Run(const std::filesystem::path& folder, uint64_t megabytes) {
  std::filesystem::create_directories(folder);
  const auto database = TRY(Database::Open("sqlite:" + (folder / "bothy.db").string()));
  const auto blobs = TRY(OpenLocalBlobStore(folder / "blobs"));
  ContentStore store(*database, *blobs);
  Bench bench{*database, store, folder};
  TRY(bench.Measure("plain bytes", megabytes, [&](double& made) { return bench.Plain(megabytes, false, made); }));
  TRY(bench.Measure("the same again", megabytes, [&](double& made) { return bench.Plain(megabytes, false, made); }));
  TRY(bench.Measure("1 % changed in ten places", megabytes,
                    [&](double& made) { return bench.Plain(megabytes, true, made); }));
  TRY(bench.Measure("as much as xorbs and a shard", megabytes,
                    [&](double& made) { return bench.Xet(megabytes, made); }));
  const double start = Now();
  const auto verified = TRY(store.Verify({}, [](const Problem& problem) { fmt::print("{}\n", problem.message); }));
  fmt::print("{:<34}{:>8.0f} MB/s\n", "verified", static_cast<double>(verified.bytes) / 1e6 / (Now() - start));
  return {};
}

}  // namespace
}  // namespace bothy::content

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: content_bench FOLDER [MB]\n");
    return 2;
  }
  const auto done = bothy::content::Run(argv[1], argc > 2 ? std::stoull(argv[2]) : 1024);
  if (!done) fmt::print(stderr, "content_bench: {}\n", done.error().message);
  return done ? 0 : 1;
}
