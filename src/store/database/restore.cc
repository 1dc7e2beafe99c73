#include "store/database/restore.h"

#include <array>
#include <cstring>

#include "base/byte_source.h"
#include "store/database/address.h"
#include "store/database/session.h"

namespace bothy {

Result<void> RestoreDatabase(std::string_view address, const std::filesystem::path& backup,
                             const BackupProgress& progress) {
  constexpr std::string_view kDumpBegins = "PGDMP";
  const Dialect dialect = TRY(DialectOf(address));
  std::array<std::byte, kDumpBegins.size()> begin{};
  const auto file = TRY(OpenFile(backup));
  if (file->size() >= begin.size()) TRY(file->Read(0, begin));
  const bool is_dump = std::memcmp(begin.data(), kDumpBegins.data(), begin.size()) == 0;
  if (is_dump != (dialect == Dialect::kPostgresql)) {
    return Fail(ErrorCode::kInvalidArgument, "{}: is of {}, and goes into no other database", backup.string(),
                is_dump ? "PostgreSQL" : "SQLite");
  }
  if (dialect == Dialect::kSqlite) {
    return internal::RestoreSqlite(TRY(internal::PathOfSqlite(address)), backup, progress);
  }
  return internal::RestorePostgresql(std::string(address), *file, progress);
}

}  // namespace bothy
