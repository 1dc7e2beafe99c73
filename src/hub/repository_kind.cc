#include "hub/repository_kind.h"

namespace bothy {
namespace {

struct Names {
  std::string_view name;
  std::string_view plural;
  std::string_view prefix;
};

constexpr std::array<Names, kRepositoryKinds.size()> kNames = {{{"model", "models", ""},
                                                                {"dataset", "datasets", "datasets/"},
                                                                {"space", "spaces", "spaces/"},
                                                                {"kernel", "kernels", "kernels/"}}};

const Names& Of(RepositoryKind kind) { return kNames[static_cast<size_t>(kind)]; }

}  // namespace

std::string_view KindName(RepositoryKind kind) { return Of(kind).name; }
std::string_view KindPlural(RepositoryKind kind) { return Of(kind).plural; }
std::string_view KindPrefix(RepositoryKind kind) { return Of(kind).prefix; }

std::optional<RepositoryKind> KindOfName(std::string_view name) {
  for (const RepositoryKind kind : kRepositoryKinds) {
    if (KindName(kind) == name) return kind;
  }
  return std::nullopt;
}

std::optional<RepositoryKind> KindOfPlural(std::string_view plural) {
  for (const RepositoryKind kind : kRepositoryKinds) {
    if (KindPlural(kind) == plural) return kind;
  }
  return std::nullopt;
}

}  // namespace bothy
