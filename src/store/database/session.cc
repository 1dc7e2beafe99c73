#include "store/database/session.h"

#include <soci/soci.h>
#include <utf8proc.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace bothy::internal {
namespace {

// Each costs a few kB here and on the server; the hub has fewer fixed statements, so only composed ones come and go.
constexpr size_t kMaxPrepared = 256;
// What a prepared statement may keep of the last value it was given.
constexpr size_t kMaxKept = 64 << 10;

std::string_view PostgresqlType(ValueType type) {
  switch (type) {
    case ValueType::kInteger: return "::bigint";
    case ValueType::kReal: return "::double precision";
    case ValueType::kText: return "::text";
    case ValueType::kBytes: return "::bytea";
    case ValueType::kBoolean: return "::boolean";
  }
  return "";
}

std::string NameOf(size_t number) { return fmt::format("p{}", number); }

// SQLite numbers $2 by where it first appears, ?2 by its number. For PostgreSQL, SOCI wants names (it forgets why a
// statement failed where there are none). PostgreSQL guesses a parameter's type from around it; told the type, it
// refuses bytes for a text instead of storing their spelling.
std::string TextFor(Dialect dialect, const Statement& statement) {
  const std::string& text = statement.text();
  std::string out;
  size_t copied = 0;
  FindPlaceholders(text, [&](size_t begin, size_t end, size_t number) {
    out.append(text, copied, begin - copied);
    if (dialect == Dialect::kSqlite) {
      out += fmt::format("?{}", number);
    } else {
      out += fmt::format(":{}{}", NameOf(number), PostgresqlType(statement.values()[number - 1].type()));
    }
    copied = end;
  });
  return out.append(text, copied);
}

bool IsText(std::string_view text) {
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_ssize_t length = 1;
    if (*at >= 0x80) {
      utf8proc_int32_t rune = 0;
      length = utf8proc_iterate(at, left, &rune);
      if (length < 0) return false;
    } else if (*at == 0) {
      return false;
    }
    at += length;
    left -= length;
  }
  return true;
}

std::string Hexadecimal(const Bytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\\x";
  out.reserve(2 + bytes.size() * 2);
  for (const std::byte b : bytes) {
    out += kDigits[std::to_integer<size_t>(b) >> 4];
    out += kDigits[std::to_integer<size_t>(b) & 15];
  }
  return out;
}

std::optional<Bytes> BytesOfHexadecimal(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2 - 1);
  for (size_t i = 2; i < text.size(); i += 2) {
    uint8_t byte = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (error != std::errc() || end != text.data() + i + 2) return std::nullopt;
    bytes.push_back(std::byte{byte});
  }
  return bytes;
}

template <class T>
std::optional<T> NumberOf(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

// The place of one parameter or column: SOCI knows its address, so it stays where it is. PostgreSQL's are all text.
struct Slot {
  ValueType type = ValueType::kInteger;
  soci::indicator indicator = soci::i_null;
  long long integer = 0;
  double real = 0;
  std::string text;
  std::optional<soci::blob> blob;
};

struct Session::Prepared {
  std::string key;
  std::vector<Slot> parameters;
  std::vector<Slot> columns;
  std::optional<soci::statement> statement;  // last: it looks at the others until it is gone
};

Session::Session(std::string name, std::unique_ptr<soci::session> session)
    : name_(std::move(name)), session_(std::move(session)) {}

Session::~Session() = default;

Result<void> Session::Begin(Database::Mode mode) {
  dropped_.clear();
  return RunScript(BeginText(mode));
}

Result<void> Session::Commit() { return RunScript("COMMIT"); }

Result<void> Session::Rollback() {
  TRY(RunScript("ROLLBACK"));
  dropped_.clear();
  return {};
}

// The statement is in the list before SOCI prepares it, so that Explain finds the connection as the failure left it:
// closing a statement says something to the server, too.
Result<Session::Prepared*> Session::Prepare(const Statement& statement, std::span<const ValueType> columns) {
  std::string key = statement.text();
  key += '\0';
  for (const Value& value : statement.values()) key += static_cast<char>(value.type());
  key += '\0';
  for (const ValueType type : columns) key += static_cast<char>(type);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    prepared_.splice(prepared_.begin(), prepared_, known->second);
    return &prepared_.front();
  }
  if (prepared_.size() >= kMaxPrepared) {
    by_key_.erase(prepared_.back().key);
    prepared_.pop_back();
  }
  Prepared& prepared = prepared_.emplace_front();
  prepared.key = key;
  by_key_.emplace(std::move(key), prepared_.begin());
  prepared.parameters.resize(statement.values().size());
  prepared.columns.resize(columns.size());
  soci::statement& prepare = prepared.statement.emplace(*session_);
  const bool typed = dialect() == Dialect::kSqlite;
  const auto exchange = [&](Slot& slot, ValueType type, const auto& with) {
    slot.type = type;
    if (!typed || type == ValueType::kText) return with(slot.text);
    if (type == ValueType::kReal) return with(slot.real);
    if (type != ValueType::kBytes) return with(slot.integer);
    with(slot.blob.emplace(*session_));
  };
  for (size_t i = 0; i < columns.size(); i++) {
    Slot& slot = prepared.columns[i];
    exchange(slot, columns[i], [&](auto& place) { prepare.exchange(soci::into(place, slot.indicator)); });
  }
  for (size_t i = 0; i < prepared.parameters.size(); i++) {
    Slot& slot = prepared.parameters[i];
    exchange(slot, statement.values()[i].type(), [&](auto& place) {
      prepare.exchange(soci::use(place, slot.indicator, typed ? std::string() : NameOf(i + 1)));
    });
  }
  prepare.alloc();
  prepare.prepare(TextFor(dialect(), statement));
  prepare.define_and_bind();
  return &prepared;
}

Result<void> Session::Bind(Prepared& prepared, const std::vector<Value>& values) {
  const bool typed = dialect() == Dialect::kSqlite;
  for (size_t i = 0; i < values.size(); i++) {
    const Value& value = values[i];
    Slot& slot = prepared.parameters[i];
    slot.indicator = value.null() ? soci::i_null : soci::i_ok;
    if (value.null()) continue;
    switch (value.type()) {
      case ValueType::kInteger:
      case ValueType::kBoolean:
        slot.integer = value.integer();
        if (!typed) slot.text = std::to_string(value.integer());
        break;
      case ValueType::kReal:
        slot.real = value.real();
        if (std::isnan(slot.real)) {  // SQLite would store NULL
          return Failed({{ErrorCode::kInvalidArgument, fmt::format("{}: value {} is not a number", name_, i + 1)}});
        }
        if (!typed) slot.text = fmt::format("{}", slot.real);
        break;
      case ValueType::kText:
        if (!IsText(value.text())) {
          return Failed({{ErrorCode::kInvalidArgument,
                          fmt::format("{}: value {} is not text: UTF-8 without zero bytes", name_, i + 1)}});
        }
        slot.text = value.text();
        break;
      case ValueType::kBytes:
        if (!typed) {
          slot.text = Hexadecimal(value.bytes());
          break;
        }
        // Written even where there are no bytes: a blob that never was written is a NULL.
        slot.blob.emplace(*session_);
        slot.blob->write(0, reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size());
        break;
    }
  }
  return {};
}

Result<Value> Session::ValueOf(const Prepared& prepared, size_t column) const {
  const Slot& slot = prepared.columns[column];
  if (slot.indicator == soci::i_null) return Value::Null(slot.type);
  if (dialect() == Dialect::kSqlite) {
    switch (slot.type) {
      case ValueType::kInteger: return Value(int64_t{slot.integer});
      case ValueType::kBoolean: return Value(slot.integer != 0);
      case ValueType::kReal: return Value(slot.real);
      case ValueType::kText: return Value(slot.text);
      case ValueType::kBytes: {
        auto& blob = const_cast<soci::blob&>(*slot.blob);
        Bytes bytes(blob.get_len());
        if (!bytes.empty()) blob.read(0, reinterpret_cast<char*>(bytes.data()), bytes.size());
        return Value(std::move(bytes));
      }
    }
  }
  switch (slot.type) {
    case ValueType::kText: return Value(slot.text);
    case ValueType::kInteger:
      if (const auto number = NumberOf<int64_t>(slot.text)) return Value(*number);
      break;
    case ValueType::kReal:
      if (const auto number = NumberOf<double>(slot.text)) return Value(*number);
      break;
    case ValueType::kBytes:
      if (auto bytes = BytesOfHexadecimal(slot.text)) return Value(*std::move(bytes));
      break;
    case ValueType::kBoolean:
      if (slot.text == "t" || slot.text == "1") return Value(true);
      if (slot.text == "f" || slot.text == "0") return Value(false);
      break;
  }
  return Fail(ErrorCode::kInternal, "{}: column {} has another type than it is read as", name_, column + 1);
}

Result<int64_t> Session::Run(const Statement& statement, std::span<const ValueType> columns, const RowSink& sink) {
  recovery_ = Recovery::kNone;
  const auto run = [&]() -> Result<int64_t> {
    try {
      Prepared& prepared = *TRY(Prepare(statement, columns));
      TRY(Bind(prepared, statement.values()));
      std::vector<Value> row(columns.size(), Value::Null(ValueType::kInteger));
      soci::statement& query = *prepared.statement;
      // With data exchange: without, SOCI takes a step of SQLite's to learn what a column's type is.
      for (bool more = query.execute(true); more; more = query.fetch()) {
        if (columns.empty()) return Fail(ErrorCode::kInternal, "{}: a statement gives rows that nobody reads", name_);
        for (size_t i = 0; i < columns.size(); i++) row[i] = TRY(ValueOf(prepared, i));
        TRY(sink(row));
      }
      const int64_t changed = query.get_affected_rows();
      for (std::vector<Slot>* slots : {&prepared.parameters, &prepared.columns}) {
        for (Slot& slot : *slots) {
          if (slot.text.capacity() > kMaxKept) slot.text = {};
          if (slot.blob) slot.blob.emplace(*session_);
        }
      }
      return changed;
    } catch (const soci::soci_error& thrown) {
      return Failed(Explain(thrown));
    } catch (const std::exception& thrown) {
      return Fail(ErrorCode::kInternal, "{}: {}", name_, thrown.what());
    }
  };
  Result<int64_t> changed = run();
  if (!changed) {
    // Half read or half made: not to be used again, and closed when the transaction is over.
    if (!prepared_.empty()) {
      by_key_.erase(prepared_.front().key);
      dropped_.splice(dropped_.end(), prepared_, prepared_.begin());
    }
    if (changed.error().code == ErrorCode::kInternal) {
      changed.error().message += fmt::format(" (in {})", statement.text());
    }
  }
  return changed;
}

}  // namespace bothy::internal
