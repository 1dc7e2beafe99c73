// Unpacks LZ4 frames (liblz4) whose unpacked size is known.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"

namespace bothy::xet {

class Lz4Frames {
 public:
  Lz4Frames();
  ~Lz4Frames();
  Lz4Frames(Lz4Frames&&) noexcept;
  Lz4Frames& operator=(Lz4Frames&&) noexcept;

  // Unpacks `frame`, which must be one whole frame and give exactly as many bytes as `out` has: else kCorrupt. Never
  // unpacks more than that, and needs less than 9 MiB of memory besides, whatever the frame says.
  Result<void> Unpack(std::span<const std::byte> frame, std::span<std::byte> out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace bothy::xet
