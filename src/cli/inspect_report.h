// What bothy inspect says of a model, as JSON (docs/inspect.md has the schema) and as text.
#pragma once

#include <string>

#include "codec/json.h"
#include "codec/model_files.h"

namespace bothy::cli {

struct InspectOptions {
  bool full = false;    // nothing is left out of long arrays and texts
  bool tensors = true;  // with the table of tensors
};

json::object InspectJson(const ModelFiles& files, const InspectOptions& options);
std::string InspectText(const ModelFiles& files, const InspectOptions& options);

}  // namespace bothy::cli
