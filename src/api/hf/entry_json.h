// A file or folder as the listings give it.
#pragma once

#include "api/answer.h"
#include "hub/files.h"

namespace bothy::api {

json::object EntryJson(const RepositoryEntry& entry);

}  // namespace bothy::api
