// What users, organizations and repositories may be called.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy {

inline constexpr size_t kMaxNameLength = 96;  // of each half of "ada/demo", as the clients check it

// Letters, digits, "_", "-" and "."; neither first nor last a "-" or a "."; no "--" and no ".."; no ".git" at the end.
// kInvalidArgument says which rule is broken.
Result<void> CheckRepositoryName(std::string_view name);

// The same for a user or an organization; also refused are the names with which addresses of the hub begin.
Result<void> CheckNamespaceName(std::string_view name);

// In lower case: names that differ only in case are one name.
std::string NameKey(std::string_view name);

}  // namespace bothy
