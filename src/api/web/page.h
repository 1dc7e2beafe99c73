// Pages that the server writes itself, of HTML and CSS alone: they work without JavaScript, and their
// Content-Security-Policy forbids it.
#pragma once

#include <string>
#include <string_view>

#include "api/route.h"

namespace bothy::api {

// Text as HTML, also inside of quotes.
std::string EscapeHtml(std::string_view text);

// `title` is text, `content` is HTML. No cache keeps it, no other page frames it.
Response Page(Status status, std::string_view title, std::string_view content);

// To another page, after a form.
Response GoTo(std::string_view location);

}  // namespace bothy::api
