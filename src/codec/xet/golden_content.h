// For tests: the contents that tests/golden/xet/golden.json and uploads.json name.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <string_view>

#include "base/testing.h"
#include "codec/json.h"
#include "crypto/sha.h"

namespace bothy::xet {

inline json::value GoldenJson(std::string_view file) {
  auto value = json::Parse(ReadTestFile(Golden() / "xet" / file), file);
  EXPECT_OK(value);
  return value ? *value : json::value(json::object());
}

// SHA-256 of "name:0", "name:1", ... one after the other.
inline std::string PseudoRandom(std::string_view name, size_t size) {
  std::string content;
  for (size_t i = 0; content.size() < size; i++) {
    const Digest256 digest = Sha256::Of(fmt::format("{}:{}", name, i));
    content.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  }
  content.resize(size);
  return content;
}

inline std::string Letters(size_t size) {
  std::string content(size, '\0');
  for (size_t i = 0; i < size; i++) content[i] = static_cast<char>('a' + i % 26);
  return content;
}

// sin(i / 7) exp(-i / 30000) as f32.
inline std::string Floats(size_t count) {
  std::string content;
  for (size_t i = 0; i < count; i++) {
    const auto x = static_cast<double>(i);
    const auto value = static_cast<float>(std::sin(x / 7) * std::exp(-x / 30000));
    content.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return content;
}

// The content of a case of golden.json that needs nothing outside the clone; nothing where it does.
inline std::optional<std::string> ContentOf(std::string_view name, size_t size) {
  if (name.starts_with("random:")) {
    name.remove_prefix(7);
    return PseudoRandom(name.substr(0, name.find(':')), size);
  }
  if (name.starts_with("zeros:")) return std::string(size, '\0');
  if (name.starts_with("letters:")) return Letters(size);
  if (name.starts_with("edit:")) return PseudoRandom("bothyedit", 3'000'000).insert(1'500'000, "BOTHY");
  return std::nullopt;
}

}  // namespace bothy::xet
