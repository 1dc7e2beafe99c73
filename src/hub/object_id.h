// Numbers as the hub's clients show them: 24 hexadecimal digits, which stay when a thing is renamed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bothy {

std::string ObjectId(int64_t id);

// Nothing where `text` is not what ObjectId gives.
std::optional<int64_t> ParseObjectId(std::string_view text);

}  // namespace bothy
