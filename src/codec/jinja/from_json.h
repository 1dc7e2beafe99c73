// JSON as a template sees it: what Python's json module would make of it.
#pragma once

#include <boost/json/value.hpp>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

Result<Value> FromJson(Runtime& rt, const boost::json::value& json);

}  // namespace bothy::jinja
