// YAML as JSON values, for cards and small configuration: scalars as YAML 1.2's core schema reads them (yes, no and
// dates are text), anchors and aliases resolved, one document.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "codec/json.h"

namespace bothy::yaml {

// What is copied by an alias counts as if it had been written out, so that a few lines cannot stand for a million.
struct Limits {
  size_t bytes = 1 << 20;   // of the text
  size_t values = 100'000;  // scalars, sequences and mappings
  size_t copied = 4 << 20;  // bytes of all scalars and keys
  size_t depth = 64;
};

// An empty document is null. kCorrupt with line and column for what is no YAML, two documents, a key that is there
// twice or is no scalar, an alias without its anchor; kResourceExhausted over a limit. `name` is for messages.
Result<json::value> Parse(std::string_view text, std::string_view name, const Limits& limits = {});

}  // namespace bothy::yaml
