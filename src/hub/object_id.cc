#include "hub/object_id.h"

#include <fmt/format.h>

#include <charconv>

namespace bothy {

std::string ObjectId(int64_t id) { return fmt::format("{:024x}", id); }

std::optional<int64_t> ParseObjectId(std::string_view text) {
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (error != std::errc() || end != text.data() + text.size() || id < 0 || ObjectId(id) != text) return std::nullopt;
  return id;
}

}  // namespace bothy
