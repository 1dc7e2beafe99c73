// Formatting: '%05.1f' % x, '{:>8,}'.format(x) and the small language of format specifications.
#pragma once

#include <string>
#include <string_view>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

// format % values, where a tuple is several values and a dict is looked up by %(name)s.
Result<Value> FormatPercent(Runtime& rt, const StringObject& format, const Value& values);
// str.format(), with attributes and items looked up by the sandbox's rules.
Result<Value> FormatBraces(Runtime& rt, const StringObject& format, const Arguments& arguments);
// format(value, spec).
Result<std::string> FormatValue(Runtime& rt, const Value& value, std::string_view spec);

// The value as !s, !r or !a ask for it.
Result<std::string> FormatConverted(Runtime& rt, const Value& value, char conversion);

// A number as C's printf would print it: %e %E %f %F %g %G, with '#' as alternate.
Result<std::string> FormatDouble(Runtime& rt, double value, char type, int64_t precision, bool alternate);

}  // namespace bothy::jinja
