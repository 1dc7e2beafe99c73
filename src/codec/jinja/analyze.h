// What a template must keep besides the grammar, found before anything runs, as the reference's compiler finds it:
// filters and tests exist, break stands in a loop, nothing assigns to loop, blocks have names of their own. Also notes
// which macros take a caller or arguments they were not declared for.
#pragma once

#include "base/error.h"
#include "codec/jinja/ast.h"

namespace bothy::jinja {

Result<void> Analyze(ParsedTemplate& parsed);

}  // namespace bothy::jinja
