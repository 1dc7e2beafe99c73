// For tests: compares the arrays of a checkpoint with a reference's, written in JSON as
// name: {"dtype", "shape", "data" (hexadecimal)} (tools/golden).
#pragma once

#include <gtest/gtest.h>

#include <boost/json/value_to.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing.h"
#include "codec/checkpoint.h"
#include "codec/json.h"

namespace bothy {

inline std::string ReadArray(const Checkpoint& checkpoint, const ArrayInfo& array) {
  std::string data(array.size, '\0');
  EXPECT_OK(checkpoint.Read(array, 0, std::as_writable_bytes(std::span(data))));
  return data;
}

inline std::string ToHex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

inline void ExpectArrays(const Checkpoint& checkpoint, const json::object& expected) {
  EXPECT_EQ(checkpoint.arrays().size(), expected.size());
  for (const auto& [name, description] : expected) {
    const ArrayInfo* array = checkpoint.Find(name);
    ASSERT_NE(array, nullptr) << name;
    EXPECT_EQ(DTypeName(array->dtype), description.at("dtype").as_string()) << name;
    EXPECT_EQ(array->shape, boost::json::value_to<std::vector<uint64_t>>(description.at("shape"))) << name;
    EXPECT_EQ(ToHex(ReadArray(checkpoint, *array)), description.at("data").as_string()) << name;
  }
}

inline json::object ReadGoldenJson(const char* folder, const char* file) {
  const auto parsed = json::Parse(ReadTestFile(Golden() / folder / file), file);
  EXPECT_OK(parsed);
  return parsed ? parsed->as_object() : json::object();
}

}  // namespace bothy
