// Which database an address means.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "store/database/database.h"

namespace bothy {

// kInvalidArgument where it is none that Database::Open takes.
Result<Dialect> DialectOf(std::string_view address);

namespace internal {
// Of an address of SQLite's.
Result<std::string> PathOfSqlite(std::string_view address);
}  // namespace internal

}  // namespace bothy
