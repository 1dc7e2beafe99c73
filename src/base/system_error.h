// Which of our errors the system's are.
#pragma once

#include "base/error.h"

namespace bothy {

// Of a value of errno. A disk without room is kResourceExhausted; what no case is known for is kInternal.
ErrorCode SystemErrorCode(int error);

}  // namespace bothy
