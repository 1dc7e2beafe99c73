#include "api/web/page.h"

#include <fmt/format.h>

#include "codec/jinja/text.h"

namespace bothy::api {
namespace {

constexpr std::string_view kStyleAddress = "/assets/page.css";

// Contrasts are at least 4.5 to 1 for text and 3 to 1 for edges of what can be used (WCAG 2.2, 1.4.3 and 1.4.11).
constexpr std::string_view kStyle = R"(:root {
  color-scheme: light dark;
  --ground: #f6f6f4; --card: #ffffff; --text: #1c1d1f; --quiet: #5a5d63; --edge: #85888f; --line: #dfe0e3;
  --accent: #1f5fbf; --on-accent: #ffffff; --alert: #a3201b; --alert-ground: #fdeceb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #141518; --card: #1d1f23; --text: #ececee; --quiet: #a9adb5; --edge: #7d818a; --line: #34373d;
    --accent: #8ab8ff; --on-accent: #10131a; --alert: #ffb3ad; --alert-ground: #3a1f1e;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem;
  background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
}
main {
  width: 100%; max-width: 27rem; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .75rem; overflow-wrap: anywhere;
}
h1 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; }
input {
  width: 100%; margin: 0 0 1rem; padding: .6rem .7rem; font: inherit; color: inherit;
  background: var(--ground); border: 1px solid var(--edge); border-radius: .4rem;
}
button {
  width: 100%; padding: .65rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent); border-radius: .4rem;
}
button.other { color: var(--text); background: transparent; border-color: var(--edge); }
button.link {
  display: inline; width: auto; padding: 0; color: var(--accent); background: none; border: 0;
  font-weight: inherit; text-decoration: underline;
}
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.code { font: 600 1.75rem/1.3 ui-monospace, monospace; letter-spacing: .08em; text-align: center; }
input.code { text-transform: uppercase; }
.choices { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; }
dl { margin: 0 0 1rem; padding: .75rem 0; border-block: 1px solid var(--line); }
dt { color: var(--quiet); font-size: .875rem; }
dd { margin: 0 0 .5rem; }
dd:last-child { margin: 0; }
.alert { padding: .6rem .75rem; color: var(--alert); background: var(--alert-ground); border-radius: .4rem; }
.quiet { color: var(--quiet); font-size: .875rem; }
form.quiet { margin: 1.25rem 0 0; text-align: center; }
@media (max-width: 24rem) {
  main { padding: 1.25rem; }
  .choices { grid-template-columns: 1fr; }
}
)";

Result<Response> Style(Call&) {
  return Response::Bytes(Status::kOk, "text/css; charset=utf-8", std::string(kStyle))
      .With("Cache-Control", "public, max-age=300")
      .With("X-Content-Type-Options", "nosniff");
}

}  // namespace

std::string EscapeHtml(std::string_view text) { return jinja::EscapeHtml(text); }

Response Page(Status status, std::string_view title, std::string_view content) {
  std::string html = fmt::format(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0} · Bothy</title>
<link rel="stylesheet" href="{1}">
</head>
<body>
<main>
<h1>{0}</h1>
{2}</main>
</body>
</html>
)",
                                 EscapeHtml(title), kStyleAddress, content);
  return Response::Bytes(status, "text/html; charset=utf-8", std::move(html))
      .With("Cache-Control", "no-store")
      .With("Content-Security-Policy",
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
      .With("X-Frame-Options", "DENY")
      .With("X-Content-Type-Options", "nosniff")
      // Not "no-referrer", with which forms would come from the origin "null".
      .With("Referrer-Policy", "same-origin");
}

Response GoTo(std::string_view location) {
  return Response::Redirect(Status::kSeeOther, location).With("Cache-Control", "no-store");
}

}  // namespace bothy::api

BOTHY_ROUTES(page_style)(Routes& routes) { routes.AddPage(Method::kGet, "/assets/page.css", Style); }
