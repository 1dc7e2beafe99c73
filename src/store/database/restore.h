// The way back from Database::Backup.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "store/database/database.h"

namespace bothy {

// Makes the database at `address` what it was when the backup was made; all or nothing. kAlreadyExists where SQLite's
// file is there, or the first schema of PostgreSQL's search path has tables; of this schema the name must be the one
// that it had. kInvalidArgument where the backup is of the other database.
Result<void> RestoreDatabase(std::string_view address, const std::filesystem::path& backup,
                             const BackupProgress& progress = {});

}  // namespace bothy
