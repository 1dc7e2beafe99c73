// str() and repr() of every value.
#pragma once

#include <string>
#include <string_view>

#include "codec/jinja/runtime.h"
#include "codec/jinja/value.h"

namespace bothy::jinja {

Result<void> AppendStr(Runtime& rt, std::string& out, const Value& value);
Result<void> AppendRepr(Runtime& rt, std::string& out, const Value& value);
Result<std::string> Str(Runtime& rt, const Value& value);
Result<std::string> Repr(Runtime& rt, const Value& value);

// A string as Python's source would have it: 'it\'s' in the quotes that need fewer escapes.
std::string QuoteString(std::string_view text);
// The same with everything but ASCII escaped: ascii().
std::string QuoteAscii(std::string_view text);
// For messages: a scalar in full, if it is short, and the type of everything else.
std::string ShortRepr(const Value& value);

// markupsafe.escape of plain text: & < > ' and " become character references.
std::string EscapeHtml(std::string_view text);
// The value as text for HTML: what is markup already stays.
Result<Value> Escape(Runtime& rt, const Value& value);

}  // namespace bothy::jinja
