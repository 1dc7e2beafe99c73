// Sizes, numbers and times as people write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy {

std::string HumanBytes(uint64_t bytes);    // "92.9 MB" (1000s, as disks and downloads are sold)
std::string HumanCount(uint64_t count);    // "134.5 M"
std::string HumanSeconds(double seconds);  // "1.2 s", "350 ms", "2 min 5 s"

// "50GB", "1.5 TB", "64MiB", "1000": a number and a unit, B where there is none; kB, MB, GB, TB and PB of 1000s, KiB to
// PiB of 1024s, whatever their case. kInvalidArgument for anything else, and for what is more than 2^63 - 1.
Result<int64_t> ParseBytes(std::string_view text);

}  // namespace bothy
