// Answers "who has this chunk?", by which clients find what they need not send.
#include <chrono>
#include <map>

#include "codec/xet/shard.h"
#include "codec/xet/xorb_view.h"
#include "crypto/secrets.h"
#include "store/content/content_store.h"
#include "store/content/xorbs.h"

namespace bothy::content {
namespace {

// A third of a million chunks, of 20 GB: what a client is told at once, and what a query can cost.
constexpr uint64_t kMaxAnswerBytes = 24 << 20;
constexpr uint64_t kBytesOfChunk = 48 + 16, kBytesOfXorb = 48 + 12;  // with lookup tables

struct Found {
  int64_t xorb_id = 0;
  std::vector<int64_t> together;  // in the order in which they came
};

Result<std::optional<Found>> FindTogether(Transaction& t, const xet::Hash& chunk) {
  const auto row = TRY((t.QueryOne<int64_t, int64_t>(
      "SELECT a.xorb_id, a.group_id FROM content_asked_chunks a JOIN content_xorbs x ON x.id = a.xorb_id "
      "WHERE a.hash = $1 AND x.state = 0",
      chunk.bytes)));
  if (!row) return std::nullopt;
  const auto [xorb_id, group] = *row;
  return Found{xorb_id, TRY(t.Query<int64_t>("SELECT g.xorb_id FROM content_group_xorbs g JOIN content_xorbs x "
                                             "ON x.id = g.xorb_id WHERE g.group_id = $1 AND x.state = 0 "
                                             "ORDER BY g.xorb_id",
                                             group))};
}

// The xorb of the chunk first, then those after it, then those before it: what a client most likely needs next, if not
// all of them fit.
std::vector<int64_t> NearestFirst(const Found& found) {
  std::vector<int64_t> ids = {found.xorb_id};
  for (const int64_t id : found.together) {
    if (id > found.xorb_id) ids.push_back(id);
  }
  for (auto id = found.together.rbegin(); id != found.together.rend(); ++id) {
    if (*id < found.xorb_id) ids.push_back(*id);
  }
  return ids;
}

// One for all answers of this hub, because clients keep answers and look every chunk up once for each key that they
// have met. Every answer carries it: only the hashes under it are nobody's but theirs who have the chunks.
Result<xet::Hash> ChunkKey(Database& database) {
  constexpr std::string_view kName = "content_chunk_key";
  const auto find = [&](Transaction& t) {
    return t.QueryOne<std::string>("SELECT value FROM meta WHERE name = $1", kName);
  };
  auto text = TRY(database.Read(find));
  if (!text) {
    xet::Hash made;
    FillRandom(made.bytes);
    text = TRY(database.Write([&](Transaction& t) -> Result<std::optional<std::string>> {
      TRY(t.Execute("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", kName, ToText(made)));
      return find(t);
    }));
  }
  const auto key = xet::FromText(text.value_or(""));
  if (!key) return Fail(ErrorCode::kCorrupt, "the database: {} is not 64 hexadecimal digits", kName);
  return *key;
}

xet::ShardXorb EntryOf(const Xorb& xorb, const xet::Hash& key) {
  xet::ShardXorb entry;
  entry.hash = xorb.hash;
  entry.raw_bytes = xorb.chunks.raw_bytes();
  entry.stored_bytes = xet::XorbView(xorb.chunks.raw_ends()).size();
  for (uint32_t i = 0; i < xorb.chunks.size(); i++) {
    const xet::Hash& hash = xorb.chunks.hashes()[i];
    entry.chunks.push_back({xet::KeyedChunkHash(key, hash), xorb.chunks.RawBegin(i), xorb.chunks.RawSize(i),
                            xet::IsAskedFor(hash) ? xet::kMayBeAskedFor : 0});
  }
  return entry;
}

}  // namespace

Result<std::optional<std::vector<std::byte>>> ContentStore::FindChunk(const xet::Hash& chunk) const {
  const auto found = TRY(backing_.database.Read([&](Transaction& t) { return FindTogether(t, chunk); }));
  if (!found) return std::nullopt;
  const xet::Hash key = TRY(ChunkKey(backing_.database));
  std::map<int64_t, xet::ShardXorb> xorbs;
  uint64_t bytes = 0;
  for (const int64_t id : NearestFirst(*found)) {
    // Used: the client is told that it may build on it.
    const auto xorb = TRY(LoadXorbToUse(backing_, id));
    if (xorb == nullptr) continue;
    bytes += kBytesOfXorb + xorb->chunks.size() * kBytesOfChunk;
    if (bytes > kMaxAnswerBytes && !xorbs.empty()) break;
    xorbs.emplace(id, EntryOf(*xorb, key));
  }
  if (xorbs.empty()) return std::nullopt;

  xet::Shard answer;
  xet::ShardFooter& footer = answer.footer.emplace();
  footer.key = key;
  // By days and in one order, so that whichever of its chunks was asked for, the answer is the same bytes: clients keep
  // answers under their hash.
  const auto today = std::chrono::floor<std::chrono::days>(backing_.options.now()).time_since_epoch();
  footer.created = static_cast<uint64_t>(std::chrono::seconds(today).count());
  footer.key_expiry = static_cast<uint64_t>((today + backing_.options.answers_last).count());
  for (auto& [id, xorb] : xorbs) {
    footer.stored_bytes += xorb.raw_bytes;
    footer.stored_bytes_on_disk += xorb.stored_bytes;
    answer.xorbs.push_back(std::move(xorb));
  }
  return xet::WriteShard(answer, xet::LookupTables::kAll);
}

}  // namespace bothy::content
