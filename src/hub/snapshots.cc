#include "hub/snapshots.h"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "base/byte_source.h"
#include "base/output_file.h"
#include "codec/json.h"

namespace bothy {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kVersion = 1;  // of the layout
constexpr std::string_view kManifest = "manifest.json";
constexpr uint64_t kMaxManifest = 1 << 20;
constexpr std::string_view kNamePattern = "dddd-dd-ddTdd-dd-ddZ";

std::string_view DialectName(Dialect dialect) { return dialect == Dialect::kSqlite ? "sqlite" : "postgresql"; }

// The numbers of a manifest, by their keys.
struct Field {
  std::string_view key;
  uint64_t Snapshot::* number;
};
constexpr Field kFields[] = {{"repositories", &Snapshot::repositories},     {"git_bytes", &Snapshot::git_bytes},
                             {"database_bytes", &Snapshot::database_bytes}, {"blobs", &Snapshot::blobs},
                             {"blob_bytes", &Snapshot::blob_bytes},         {"new_bytes", &Snapshot::new_bytes}};

}  // namespace

std::string SnapshotName(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto days = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(seconds - days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}-{:02}-{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

bool IsSnapshotName(std::string_view name) {
  return std::equal(name.begin(), name.end(), kNamePattern.begin(), kNamePattern.end(),
                    [](char c, char pattern) { return pattern == 'd' ? c >= '0' && c <= '9' : c == pattern; });
}

std::string_view DatabaseFileName(Dialect dialect) {
  return dialect == Dialect::kSqlite ? "bothy.db" : "postgresql.dump";
}

fs::path GitFolderOf(const fs::path& snapshot, int64_t repository_id) {
  return snapshot / "git" / fmt::format("{}.git", repository_id);
}

Result<std::vector<std::string>> SnapshotFolder::Names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(snapshots(), error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (IsSnapshotName(name)) names.push_back(std::move(name));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Fail(ErrorCode::kInternal, "{}: {}", snapshots().string(), error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<Snapshot> SnapshotFolder::Read(const std::string& name) const {
  std::error_code error;
  if (!IsSnapshotName(name) || !fs::is_directory(PathOf(name), error)) {
    return Fail(ErrorCode::kNotFound, "{}: there is no snapshot {}", folder_.string(), name);
  }
  const fs::path path = PathOf(name) / kManifest;
  const std::string text = TRY(TRY(OpenFile(path))->ReadAll(kMaxManifest));
  const auto parsed = TRY(json::Parse(text, path.string(), kMaxManifest));
  const auto* manifest = parsed.if_object();
  if (manifest == nullptr) return Fail(ErrorCode::kCorrupt, "{}: expected an object", path.string());
  const int64_t version = TRY(json::GetInt(*manifest, "version")).value_or(0);
  if (version != kVersion) {
    return Fail(ErrorCode::kUnimplemented, "{}: version {} of a snapshot, this program knows {}", path.string(),
                version, kVersion);
  }
  Snapshot snapshot{.name = name};
  const std::string database = TRY(json::GetString(*manifest, "database")).value_or("");
  if (database == DialectName(Dialect::kPostgresql)) {
    snapshot.dialect = Dialect::kPostgresql;
  } else if (database != DialectName(Dialect::kSqlite)) {
    return Fail(ErrorCode::kCorrupt, "{}: database: expected sqlite or postgresql, found \"{}\"", path.string(),
                database);
  }
  for (const Field& field : kFields) {
    const auto number = TRY_CONTEXT(path.string(), json::GetInt(*manifest, field.key));
    if (!number || *number < 0) return Fail(ErrorCode::kCorrupt, "{}: {} is missing", path.string(), field.key);
    snapshot.*field.number = static_cast<uint64_t>(*number);
  }
  return snapshot;
}

Result<void> SnapshotFolder::WriteManifest(const fs::path& path, const Snapshot& snapshot) {
  json::object manifest = {{"version", kVersion}, {"database", DialectName(snapshot.dialect)}};
  for (const Field& field : kFields) manifest[field.key] = snapshot.*field.number;
  const auto file = TRY(OutputFile::Create(path / kManifest));
  TRY(file->Write(json::Serialize(manifest) + "\n"));
  return file->Commit();
}

Result<void> SnapshotFolder::ForEachBlob(const Snapshot& snapshot,
                                         const std::function<Result<void>(const BlobName&, uint64_t size)>& use) const {
  const fs::path path = PathOf(snapshot.name) / kBlobList;
  std::ifstream file(path);
  uint64_t count = 0;
  for (std::string line; std::getline(file, line); count++) {
    const std::string_view digits = std::string_view(line).substr(std::min(line.size(), BlobName::kLength + 1));
    uint64_t size = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    const auto name = BlobName::Parse(std::string_view(line).substr(0, BlobName::kLength));
    if (!name || error != std::errc() || end != digits.data() + digits.size() || line[BlobName::kLength] != ' ') {
      return Fail(ErrorCode::kCorrupt, "{}: line {}: expected the name of a blob and its size", path.string(),
                  count + 1);
    }
    TRY(use(*name, size));
  }
  if (count != snapshot.blobs) {
    return Fail(ErrorCode::kCorrupt, "{}: expected {} blobs, found {}", path.string(), snapshot.blobs, count);
  }
  return {};
}

}  // namespace bothy
