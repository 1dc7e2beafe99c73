// What time it is, for code whose tests decide that themselves.
#pragma once

#include <functional>

#include "store/database/value.h"

namespace bothy {

// Safe to call from several threads.
using Clock = std::function<Timestamp()>;

inline Timestamp SystemTime() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace bothy
