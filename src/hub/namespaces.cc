#include "hub/namespaces.h"

#include <algorithm>

#include "hub/names.h"

namespace bothy {
namespace {

constexpr std::string_view kKindNames[] = {"user", "organization"};  // in the order of NamespaceKind

std::string_view NameOf(NamespaceKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

}  // namespace

Result<void> CheckFullName(std::string_view full_name) {
  if (full_name.size() > kMaxFullNameBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a full name has at most {} bytes, this has {}", kMaxFullNameBytes,
                full_name.size());
  }
  if (std::ranges::any_of(full_name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; })) {
    return Fail(ErrorCode::kInvalidArgument, "a full name has no control characters");
  }
  return {};
}

Result<std::optional<Namespace>> FindNamespace(Transaction& transaction, std::string_view name) {
  auto row = TRY((transaction.QueryOne<int64_t, std::string, std::string, std::string, Timestamp>(
      "SELECT id, name, kind, full_name, created_at FROM namespaces WHERE key = $1", NameKey(name))));
  if (!row) return std::nullopt;
  auto& [id, spelled, kind, full_name, created_at] = *row;
  return Namespace{id, std::move(spelled),
                   kind == NameOf(NamespaceKind::kUser) ? NamespaceKind::kUser : NamespaceKind::kOrganization,
                   std::move(full_name), created_at};
}

Result<Namespace> AddNamespace(Transaction& transaction, std::string_view name, NamespaceKind kind,
                               std::string_view full_name, Timestamp now) {
  TRY(CheckNamespaceName(name));
  TRY(CheckFullName(full_name));
  Namespace added = {0, std::string(name), kind, std::string(full_name.empty() ? name : full_name), now};
  const auto id = TRY(transaction.QueryOne<int64_t>(
      "INSERT INTO namespaces (name, key, kind, full_name, created_at) VALUES ($1, $2, $3, $4, $5) "
      "ON CONFLICT (key) DO NOTHING RETURNING id",
      added.name, NameKey(name), NameOf(kind), added.full_name, now));
  if (!id) return Fail(ErrorCode::kAlreadyExists, "the name \"{}\" is taken", name);
  added.id = *id;
  return added;
}

Result<void> RemoveNamespace(Transaction& transaction, const Namespace& gone) {
  auto removed = transaction.Execute("DELETE FROM namespaces WHERE id = $1", gone.id);
  if (!removed && removed.error().code == ErrorCode::kFailedPrecondition) {
    return Fail(ErrorCode::kFailedPrecondition, "\"{}\" owns repositories: delete or move them first", gone.name);
  }
  TRY(removed);
  return {};
}

}  // namespace bothy
