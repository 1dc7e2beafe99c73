// What it costs to keep something: rows in a database, blobs in a folder.
//
//   store_bench FOLDER [database address...]
//
// FOLDER lies on the disk to be measured. Without addresses: SQLite in it. PostgreSQL: tools/with_postgresql --durable
// sh -c 'build/bench/bench/store_bench FOLDER "$BOTHY_TEST_POSTGRESQL"'.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "store/blobs/local_blob_store.h"
#include "store/database/database.h"

namespace bothy {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Operations a second of `threads` threads, each doing `times`.
double Rate(int threads, int times, const std::function<void(int)>& run) {
  const double start = Now();
  std::vector<std::thread> all;
  for (int t = 0; t < threads; t++) {
    all.emplace_back([&, t] {
      for (int i = 0; i < times; i++) run(t * times + i);
    });
  }
  for (std::thread& thread : all) thread.join();
  return threads * times / (Now() - start);
}

constexpr Migration kTables[] = {
    {1, "0001_bench", "bench", "CREATE TABLE bench (id {identity}, name TEXT NOT NULL UNIQUE, size BIGINT NOT NULL);"}};

Result<void> MeasureDatabase(const std::string& address) {
  const auto database = TRY(Database::Open(address, {}, kTables));
  fmt::print("{}\n", database->name());
  TRY(database->Write([](Transaction& t) { return t.Execute("DELETE FROM bench"); }));
  const auto insert = [](Transaction& t, int i) {
    return t.Execute("INSERT INTO bench (name, size) VALUES ($1, $2)", fmt::format("name {}", i), i);
  };
  for (const int threads : {1, 8}) {
    const int first = threads * 1'000'000;
    const double rate = Rate(threads, 1600 / threads, [&](int i) {
      CHECK(database->Write([&](Transaction& t) { return insert(t, first + i); }));
    });
    fmt::print("  {:<52}{:>10.0f}/s\n", fmt::format("transactions of one insert, {} threads", threads), rate);
  }
  const double start = Now();
  TRY(database->Write([&](Transaction& t) -> Result<void> {
    for (int i = 0; i < 20'000; i++) TRY(insert(t, i));
    return {};
  }));
  fmt::print("  {:<52}{:>10.0f}/s\n", "inserts in one transaction", 20'000 / (Now() - start));
  for (const int threads : {1, 2, 8}) {
    const double rate = Rate(threads, 16'000 / threads, [&](int i) {
      CHECK(database->Read([&](Transaction& t) {
        return t.QueryOne<int64_t, int64_t>("SELECT id, size FROM bench WHERE name = $1",
                                            fmt::format("name {}", i % 20'000));
      }));
    });
    fmt::print("  {:<52}{:>10.0f}/s\n", fmt::format("reads of one row by name, {} threads", threads), rate);
  }
  // A text that is new each time is prepared each time: the difference is what keeping prepared statements saves.
  TRY(database->Read([&](Transaction& t) -> Result<void> {
    constexpr int kTimes = 4000;
    for (const bool fresh : {false, true}) {
      const double begin = Now();
      for (int i = 0; i < kTimes; i++) {
        Statement query("SELECT id, size FROM bench WHERE name = $1", fmt::format("name {}", i % 20'000));
        for (int spaces = 1 + i / 60; fresh && spaces > 0; spaces--) query.Add(" ");
        for (int tabs = i % 60; fresh && tabs > 0; tabs--) query.Add("\t");
        TRY((t.QueryOne<int64_t, int64_t>(query)));
      }
      fmt::print("  {:<52}{:>10.1f} us\n", fresh ? "the same query, prepared anew" : "a query within a transaction",
                 (Now() - begin) / kTimes * 1e6);
    }
    return {};
  }));
  return {};
}

BlobName RandomName() {
  thread_local std::mt19937_64 random(std::random_device{}());
  std::string text;
  for (int i = 0; i < 4; i++) text += fmt::format("{:016x}", random());
  return *BlobName::Parse(text);
}

Result<void> MeasureBlobs(const std::filesystem::path& folder) {
  const auto store = TRY(OpenLocalBlobStore(folder));
  fmt::print("{}\n", folder.string());
  const std::string small(4096, 'x');
  for (const int group : {1, 8, 9, 100, 1000}) {
    std::vector<double> seconds;
    for (int round = 0; round < 5; round++) {
      std::vector<NewBlob> blobs;
      for (int i = 0; i < group; i++) {
        auto writer = TRY(store->Create());
        TRY(writer->Write(small));
        blobs.push_back({RandomName(), std::move(writer)});
      }
      const double start = Now();
      TRY(store->Commit(std::move(blobs)));
      seconds.push_back(Now() - start);
    }
    std::ranges::sort(seconds);
    fmt::print("  {:<52}{:>10.1f} ms\n", fmt::format("commit of {} blobs of 4 kB together", group), seconds[2] * 1e3);
  }
  const std::string piece(1 << 20, 'y');
  auto writer = TRY(store->Create());
  const double start = Now();
  for (int i = 0; i < 1024; i++) TRY(writer->Write(piece));
  const double written = Now();
  const BlobName name = RandomName();
  TRY(store->Commit(name, std::move(writer)));
  fmt::print("  {:<52}{:>10.0f} MB/s, of which commit {:.2f} s\n", "one blob of 1 GB", 1074 / (Now() - start),
             Now() - written);
  const auto source = TRY(store->Open(name));
  std::vector<std::byte> bytes(1 << 20);
  const double reading = Now();
  for (uint64_t at = 0; at < source->size(); at += bytes.size()) TRY(source->Read(at, bytes));
  fmt::print("  {:<52}{:>10.0f} MB/s\n", "reading it back from the page cache", 1074 / (Now() - reading));
  return {};
}

Result<void> Run(const std::filesystem::path& folder, std::vector<std::string> addresses) {
  std::filesystem::create_directories(folder);
  const auto blobs = folder / "bench-blobs", file = folder / "bench.db";
  if (addresses.empty()) addresses.push_back("sqlite:" + file.string());
  for (const std::string& address : addresses) TRY(MeasureDatabase(address));
  TRY(MeasureBlobs(blobs));
  std::filesystem::remove_all(blobs);
  for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + ending);
  return {};
}

}  // namespace
}  // namespace bothy

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: store_bench FOLDER [database address...]\n");
    return 2;
  }
  const auto done = bothy::Run(argv[1], std::vector<std::string>(argv + 2, argv + argc));
  if (!done) fmt::print(stderr, "{}\n", done.error().message);
  return done ? 0 : 1;
}
