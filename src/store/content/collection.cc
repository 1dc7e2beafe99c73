// Garbage collection: what is referred to is marked in a table of its own, so that millions of references need no
// memory; then files without a mark go, and then xorbs without a file, if nobody has touched them for long enough.
//
// Beside it everything else goes on. Who refers to content touches it, so what comes after the marks were made is too
// young to go; that is looked at again in the transaction that removes it. A xorb first becomes as if it were not there
// (kRemoved), then its blob goes and then its row, so nobody ever finds a row whose blob is gone.
#include "store/content/collection.h"

#include <algorithm>

#include "store/content/batch.h"
#include "store/content/content_store.h"
#include "store/content/xorbs.h"

namespace bothy::content {
namespace {

constexpr size_t kMarksAtOnce = 4096;
constexpr int64_t kRemovedAtOnce = 256;

// Marks of a collection that was killed.
constexpr std::chrono::hours kLeftoverAge{24};

class Collection {
 public:
  Collection(const Backing& backing, Timestamp touched_before, const CollectionProgress& progress)
      : backing_(backing), touched_before_(touched_before), progress_(progress) {}

  Result<Collected> Run(const References& references) {
    const Timestamp now = backing_.options.now();
    id_ = TRY(backing_.database.Write([&](Transaction& t) -> Result<int64_t> {
      return TRY(t.QueryOne<int64_t>("INSERT INTO content_collections (started) VALUES ($1) RETURNING id", now))
          .value_or(0);
    }));
    const auto done = MarkAndSweep(references);
    const auto forgotten = ForgetCollections(now);
    if (!done) return tl::unexpected<Error>(done.error());
    if (!forgotten) return tl::unexpected<Error>(forgotten.error());
    return collected_;
  }

 private:
  Result<void> Report(std::string_view what, int64_t done, int64_t total) {
    if (!progress_ || progress_(what, static_cast<uint64_t>(done), static_cast<uint64_t>(std::max(done, total)))) {
      return {};
    }
    return Fail(ErrorCode::kCancelled, "the collection was given up, {} files and {} blobs were removed",
                collected_.files, collected_.xorbs);
  }

  Result<int64_t> LastOf(Sql<> statement) {
    const auto last =
        TRY(backing_.database.Read([&](Transaction& t) { return t.QueryOne<std::optional<int64_t>>(statement); }));
    return last.value_or(std::nullopt).value_or(0);
  }

  Result<void> MarkAndSweep(const References& references) {
    const int64_t files = TRY(LastOf("SELECT COUNT(*) FROM content_files"));
    for (int64_t marked = 0;;) {
      TRY(Report("references", marked, files));
      const std::vector<Digest256> marks = TRY(references());
      if (marks.empty()) break;
      marked += static_cast<int64_t>(marks.size());
      for (size_t i = 0; i < marks.size(); i += kMarksAtOnce) {
        TRY(Mark(std::span(marks).subspan(i, std::min(kMarksAtOnce, marks.size() - i))));
      }
    }
    TRY(FinishRemoval(backing_, TRY(backing_.database.Read([](Transaction& t) {
                        return t.Query<int64_t>(
                            "SELECT id FROM content_xorbs WHERE state = 2");  // left by one that was killed
                      }))));
    TRY(SweepFiles());
    TRY(SweepXorbs());
    return backing_.database.Write([&](Transaction& t) -> Result<void> {
      TRY(
          t.Execute("DELETE FROM content_groups WHERE registered < $1 AND NOT EXISTS "
                    "(SELECT 1 FROM content_group_xorbs x WHERE x.group_id = content_groups.id)",
                    touched_before_));
      return {};
    });
  }

  Result<void> Mark(std::span<const Digest256> sha256s) {
    return backing_.database.Write([&](Transaction& t) {
      return InBatchesOrAlone(sha256s, [&](std::span<const Digest256> batch) -> Result<void> {
        Statement insert("INSERT INTO content_marks (collection_id, sha256) VALUES ($1, $2)", id_, batch.front());
        for (const Digest256& sha256 : batch.subspan(1)) insert.Add(", ($1, $2)", id_, sha256);
        TRY(t.Execute(insert.Add(" ON CONFLICT DO NOTHING")));
        return {};
      });
    });
  }

  // Where somebody has taken this collection for one that was killed, its marks are gone, and nothing may go for that.
  Result<void> SweepFiles() {
    const int64_t end = TRY(LastOf("SELECT MAX(id) FROM content_files"));
    for (int64_t last = 0;;) {
      TRY(Report("files", last, end));
      const auto ids = TRY(backing_.database.Read([&](Transaction& t) {
        return t.Query<int64_t>(
            "SELECT f.id FROM content_files f WHERE f.id > $1 AND f.touched < $2 AND NOT EXISTS (SELECT 1 FROM "
            "content_marks m WHERE m.collection_id = $3 AND m.sha256 = f.sha256) AND EXISTS (SELECT 1 FROM "
            "content_collections c WHERE c.id = $3) ORDER BY f.id LIMIT $4",
            last, touched_before_, id_, kRemovedAtOnce);
      }));
      if (ids.empty()) return {};
      last = ids.back();
      collected_.files += TRY(backing_.database.Write([&](Transaction& t) -> Result<uint64_t> {
        uint64_t removed = 0;
        for (const int64_t id : ids) {
          removed += static_cast<uint64_t>(
              TRY(t.Execute("DELETE FROM content_files WHERE id = $1 AND touched < $2", id, touched_before_)));
        }
        return removed;
      }));
    }
  }

  Result<void> SweepXorbs() {
    const int64_t end = TRY(LastOf("SELECT MAX(id) FROM content_xorbs"));
    for (int64_t last = 0;;) {
      TRY(Report("blobs", last, end));
      const auto ids = TRY(backing_.database.Read([&](Transaction& t) {
        return t.Query<int64_t>(
            "SELECT x.id FROM content_xorbs x WHERE x.id > $1 AND x.touched < $2 AND NOT EXISTS "
            "(SELECT 1 FROM content_segments s WHERE s.xorb_id = x.id) ORDER BY x.id LIMIT $3",
            last, touched_before_, kRemovedAtOnce);
      }));
      if (ids.empty()) return {};
      last = ids.back();
      std::vector<int64_t> removed;
      const auto bytes = TRY(backing_.database.Write([&](Transaction& t) -> Result<int64_t> {
        removed.clear();
        int64_t sum = 0;
        for (const int64_t id : ids) {
          const auto raw_bytes = TRY(
              t.QueryOne<int64_t>("UPDATE content_xorbs SET state = 2 WHERE id = $1 AND touched < $2 AND NOT EXISTS "
                                  "(SELECT 1 FROM content_segments s WHERE s.xorb_id = $1) RETURNING raw_bytes",
                                  id, touched_before_));
          if (!raw_bytes) continue;
          removed.push_back(id);
          sum += *raw_bytes;
        }
        return sum;
      }));
      TRY(FinishRemoval(backing_, removed));
      collected_.xorbs += removed.size();
      collected_.bytes += static_cast<uint64_t>(bytes);
    }
  }

  // The marks of this one, and of others that nobody has finished.
  Result<void> ForgetCollections(Timestamp started) {
    while (TRY(backing_.database.Write([&](Transaction& t) {
             return t.Execute(
                 "DELETE FROM content_marks WHERE sha256 IN (SELECT m.sha256 FROM content_marks m WHERE "
                 "m.collection_id = $1 LIMIT 4096) AND collection_id = $1",
                 id_);
           })) > 0) {
    }
    return backing_.database.Write([&](Transaction& t) -> Result<void> {
      TRY(t.Execute("DELETE FROM content_collections WHERE id = $1 OR started < $2", id_, started - kLeftoverAge));
      return {};
    });
  }

  const Backing& backing_;
  const Timestamp touched_before_;
  const CollectionProgress& progress_;
  int64_t id_ = 0;
  Collected collected_;
};

}  // namespace

Result<Collected> ContentStore::Collect(const References& references, std::chrono::seconds age,
                                        const CollectionProgress& progress) const {
  if (age < kTouchEvery) {
    return Fail(ErrorCode::kInvalidArgument, "content is collected {} seconds after it was last used or later",
                std::chrono::seconds(kTouchEvery).count());
  }
  return Collection(backing_, backing_.options.now() - age, progress).Run(references);
}

}  // namespace bothy::content
