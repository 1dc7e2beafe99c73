// The number of a token, as the model's embedding table counts.
#pragma once

#include <cstdint>

namespace bothy {

using TokenId = int32_t;

}  // namespace bothy
