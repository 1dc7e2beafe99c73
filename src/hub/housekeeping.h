// What a hub has to do from time to time.
#pragma once

#include <chrono>

#include "hub/hub.h"

namespace bothy {

// hf-xet remembers for 21 days which content it has seen here, and does not send it again.
inline constexpr std::chrono::days kKeepUnreferred{22};

// Removes the content that no repository refers to and that nobody has used for `age`. Others go on beside it.
Result<content::Collected> CollectContent(Hub& hub, std::chrono::seconds age = kKeepUnreferred);

}  // namespace bothy
