#include "tensor/buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/testing.h"

namespace bothy {
namespace {

TEST(Buffer, IsZeroedAlignedAndItsOwn) {
  std::vector<Buffer> buffers;
  for (const size_t bytes : {size_t{1}, size_t{100}, size_t{2} << 20, size_t{33} << 20, size_t{20} << 20}) {
    auto buffer = Buffer::Allocate(bytes);
    ASSERT_OK(buffer);
    EXPECT_EQ(buffer->size(), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % 64, 0u);
    EXPECT_TRUE(std::all_of(buffer->data(), buffer->data() + bytes, [](std::byte b) { return b == std::byte{0}; }));
    std::fill_n(buffer->data(), bytes, static_cast<std::byte>(buffers.size() + 1));
    buffers.push_back(*std::move(buffer));
  }
  for (size_t i = 0; i < buffers.size(); i++) {
    const auto mine = static_cast<std::byte>(i + 1);
    EXPECT_EQ(std::count(buffers[i].data(), buffers[i].data() + buffers[i].size(), mine),
              static_cast<ptrdiff_t>(buffers[i].size()));
  }
}

TEST(Buffer, MoreThanThereCanBeIsAnError) {
  const auto buffer = Buffer::Allocate(size_t{1} << 62);
  ASSERT_FALSE(buffer);
  EXPECT_EQ(buffer.error().code, ErrorCode::kResourceExhausted);
  EXPECT_FALSE(Buffer::Allocate(~size_t{0}));
}

}  // namespace
}  // namespace bothy
