// The kinds of repositories, and what they are called in addresses, in JSON and on the disk.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bothy {

enum class RepositoryKind : uint8_t { kModel, kDataset, kSpace, kKernel };

inline constexpr std::array kRepositoryKinds = {RepositoryKind::kModel, RepositoryKind::kDataset,
                                                RepositoryKind::kSpace, RepositoryKind::kKernel};

std::string_view KindName(RepositoryKind kind);    // "model": in JSON and in the database
std::string_view KindPlural(RepositoryKind kind);  // "models": in /api/models/..., and its folder on the disk
std::string_view KindPrefix(RepositoryKind kind);  // "", "datasets/": before ns/name in addresses of pages and files

std::optional<RepositoryKind> KindOfName(std::string_view name);
std::optional<RepositoryKind> KindOfPlural(std::string_view plural);

}  // namespace bothy
