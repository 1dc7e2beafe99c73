// Backups of PostgreSQL, by its own programs.
#include <libpq-fe.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/output_file.h"
#include "base/subprocess.h"
#include "store/database/session.h"

namespace bothy::internal {
namespace {

constexpr size_t kPiece = 1 << 20;

// How the programs reach the server: the password is for them alone, and every user of the machine can see arguments.
struct Target {
  std::string connection;  // libpq's "key='value' ..."
  std::string password;
};

Result<Target> TargetOf(const std::string& address) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(
      PQconninfoParse(address.c_str(), &problem), PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> owner(problem, PQfreemem);
  // What libpq says about it may repeat the password.
  if (parsed == nullptr) return Fail(ErrorCode::kInvalidArgument, "the database's address is not understood by libpq");
  Target target;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; option++) {
    if (option->val == nullptr) continue;
    if (std::string_view(option->keyword) == "password") {
      target.password = option->val;
      continue;
    }
    target.connection += fmt::format("{}='", option->keyword);
    for (const char c : std::string_view(option->val)) {
      if (c == '\'' || c == '\\') target.connection += '\\';
      target.connection += c;
    }
    target.connection += "' ";
  }
  return target;
}

// What libpq reads, here as there.
std::vector<std::string> EnvironmentFor(const Target& target) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; entry++) {
    const std::string_view text(*entry);
    const bool own_password = !target.password.empty() && text.starts_with("PGPASSWORD=");
    if (text.starts_with("PATH=") || text.starts_with("HOME=") || (text.starts_with("PG") && !own_password)) {
      environment.emplace_back(text);
    }
  }
  if (!target.password.empty()) environment.push_back("PGPASSWORD=" + target.password);
  environment.push_back("LC_ALL=C.UTF-8");
  return environment;
}

Result<std::unique_ptr<Subprocess>> StartProgram(const std::string& address, std::vector<std::string> arguments) {
  const Target target = TRY(TargetOf(address));
  arguments.push_back("--dbname=" + target.connection);
  const std::string program = arguments.front();
  auto process = Subprocess::Start({.arguments = std::move(arguments), .environment = EnvironmentFor(target)});
  if (!process && process.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kUnimplemented, "PostgreSQL is backed up by its own {}, which is not in PATH: install it",
                program);
  }
  return process;
}

tl::unexpected<Error> ProgramFailed(const std::string& name, std::string_view program, int status,
                                    std::string_view said) {
  return Fail(ErrorCode::kInternal, "{}: {} ended with status {}: {}", name, program, status,
              said.substr(0, said.find('\n')));
}

struct Schema {
  std::string name;  // empty where the search path names none that there is
  int64_t tables = 0;
};

// Of the first place of the search path, where Bothy's tables are.
Result<Schema> SchemaOf(const std::string& address, const DatabaseOptions& options) {
  Recovery recovery = Recovery::kNone;
  const auto session = TRY(OpenPostgresql(address, NameOfPostgresql(address), options, recovery));
  Schema schema;
  TRY(session->Run(Statement("SELECT CAST(COALESCE(current_schema(), '') AS TEXT), (SELECT count(*) FROM "
                             "pg_catalog.pg_tables WHERE schemaname = current_schema())"),
                   std::vector{ValueType::kText, ValueType::kInteger}, [&](std::span<Value> row) -> Result<void> {
                     schema = {row[0].text(), row[1].integer()};
                     return {};
                   }));
  if (schema.name.empty()) {
    return Fail(ErrorCode::kFailedPrecondition, "{}: its search path names no schema that is there",
                NameOfPostgresql(address));
  }
  return schema;
}

// A pattern of pg_dump that only this name fits.
std::string PatternOf(std::string_view name) {
  std::string pattern = "\"";
  for (const char c : name) {
    if (c == '"') pattern += '"';
    pattern += c;
  }
  return pattern + "\"";
}

}  // namespace

Result<void> DumpPostgresql(const std::string& address, const std::filesystem::path& target,
                            const DatabaseOptions& options, const BackupProgress& progress) {
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored)) {
    return Fail(ErrorCode::kAlreadyExists, "{}: is there already; a backup goes into a new file", target.string());
  }
  const Schema schema = TRY(SchemaOf(address, options));
  const auto file = TRY(OutputFile::Create(target));
  const auto dump = TRY(StartProgram(address, {"pg_dump", "--format=custom", "--no-owner", "--no-privileges",
                                               "--no-password", "--schema=" + PatternOf(schema.name)}));
  const int status =
      TRY(dump->Exchange([]() -> Result<std::string_view> { return std::string_view(); },
                         [&](std::string_view text) -> Result<void> {
                           TRY(file->Write(text));
                           if (progress && !progress(file->offset(), file->offset())) {
                             return Fail(ErrorCode::kCancelled, "{}: the backup was given up", target.string());
                           }
                           return {};
                         }));
  if (status != 0) return ProgramFailed(NameOfPostgresql(address), "pg_dump", status, dump->error_output());
  return file->Commit();
}

Result<void> RestorePostgresql(const std::string& address, const ByteSource& dump, const BackupProgress& progress) {
  const std::string name = NameOfPostgresql(address);
  const Schema schema = TRY(SchemaOf(address, {}));
  if (schema.tables > 0) {
    return Fail(ErrorCode::kAlreadyExists, "{}: its schema {} has {} tables: a backup goes into an empty database",
                name, schema.name, schema.tables);
  }
  // The schema itself is there.
  const auto restore =
      TRY(StartProgram(address, {"pg_restore", "--format=custom", "--single-transaction", "--exit-on-error",
                                 "--no-owner", "--no-privileges", "--no-password", "--schema=" + schema.name}));
  std::string buffer;
  uint64_t done = 0;
  const int status = TRY(restore->Exchange(
      [&]() -> Result<std::string_view> {
        if (progress && !progress(done, dump.size())) {
          return Fail(ErrorCode::kCancelled, "{}: given up; nothing was changed", name);
        }
        buffer.resize(std::min<uint64_t>(kPiece, dump.size() - done));
        TRY(dump.Read(done, std::as_writable_bytes(std::span(buffer))));
        done += buffer.size();
        return std::string_view(buffer);
      },
      [](std::string_view) -> Result<void> { return {}; }));
  if (status != 0) return ProgramFailed(name, "pg_restore", status, restore->error_output());
  if (TRY(SchemaOf(address, {})).tables == 0) {
    return Fail(ErrorCode::kFailedPrecondition,
                "{}: the backup has nothing of a schema called {}: let the search path begin with the schema that the "
                "backup was made of",
                name, schema.name);
  }
  return {};
}

}  // namespace bothy::internal
