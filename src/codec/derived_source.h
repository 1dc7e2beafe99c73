// Sources of bytes that are made of other sources: a part of one, or what has to be computed from one as a whole (an
// unpacked member of an archive, an array put into another order).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_source.h"

namespace bothy {

// Bytes [offset, offset + size) of `whole`, which must have them.
std::shared_ptr<const ByteSource> SliceSource(std::string name, std::shared_ptr<const ByteSource> whole,
                                              uint64_t offset, uint64_t size);

// Keeps what was made last, and only that: a loader reads one array after the other, and two large ones need not be in
// memory together. Shared by the sources of one file.
class LastMade;
std::shared_ptr<LastMade> NewLastMade();

// `size` bytes that `make` returns when they are first read, and again after another source of the same `last` was.
// `make` must not read a source of the same `last`.
using MakeBytes = std::function<Result<std::vector<std::byte>>()>;
std::shared_ptr<const ByteSource> MadeSource(std::string name, uint64_t size, MakeBytes make,
                                             std::shared_ptr<LastMade> last);

}  // namespace bothy
