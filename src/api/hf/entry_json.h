// Files, folders and repositories as listings and information give them.
#pragma once

#include "api/answer.h"
#include "hub/files.h"
#include "hub/repository_facts.h"

namespace bothy::api {

json::object EntryJson(const RepositoryEntry& entry);

json::value GatedJson(Gating gating);  // false, "auto" or "manual"

}  // namespace bothy::api
