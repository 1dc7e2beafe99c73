#include "store/database/address.h"

#include <algorithm>
#include <iterator>

namespace bothy {
namespace {

constexpr std::string_view kSqlitePrefix = "sqlite:";
constexpr std::string_view kPostgresqlPrefixes[] = {"postgresql://", "postgres://"};

}  // namespace

Result<Dialect> DialectOf(std::string_view address) {
  if (address.starts_with(kSqlitePrefix)) return Dialect::kSqlite;
  if (std::any_of(std::begin(kPostgresqlPrefixes), std::end(kPostgresqlPrefixes),
                  [&](std::string_view prefix) { return address.starts_with(prefix); })) {
    return Dialect::kPostgresql;
  }
  // Only what stands before a colon: the rest may hold a password.
  return Fail(ErrorCode::kInvalidArgument, "database address {}:...: expected sqlite:PATH or postgresql://...",
              address.substr(0, address.find(':')));
}

Result<std::string> internal::PathOfSqlite(std::string_view address) {
  std::string path(address.substr(kSqlitePrefix.size()));
  if (path.empty() || path == ":memory:") {  // each session would have a database of its own
    return Fail(ErrorCode::kInvalidArgument, "database address {}: expected sqlite:PATH", address);
  }
  return path;
}

}  // namespace bothy
