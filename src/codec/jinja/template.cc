#include "codec/jinja/template.h"

#include <utility>

#include "codec/jinja/analyze.h"
#include "codec/jinja/ast.h"
#include "codec/jinja/interpreter.h"
#include "codec/jinja/parser.h"
#include "codec/jinja/unicode.h"

namespace bothy::jinja {

Template::Template(std::shared_ptr<const ParsedTemplate> parsed) : parsed_(std::move(parsed)) {}

const std::string& Template::source() const { return parsed_->source; }

Result<Template> Template::Parse(std::string_view source, std::string_view name) {
  if (const size_t at = FindInvalidUtf8(source); at != std::string_view::npos) {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: a template must be UTF-8", name, at);
  }
  auto parsed = std::make_shared<ParsedTemplate>();
  parsed->name = name;
  parsed->source = source;
  auto tokens = TRY_CONTEXT(name, Tokenize(source));
  parsed->body = TRY_CONTEXT(name, Parser(std::move(tokens)).Parse());
  TRY_CONTEXT(name, Analyze(*parsed));
  return Template(std::move(parsed));
}

Result<std::string> Template::Render(const boost::json::object& variables, const RenderOptions& options) const {
  std::string text = TRY_CONTEXT(parsed_->name, Interpreter(*parsed_, options).Run(variables));
  if (FindInvalidUtf8(text) != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "{}: the text holds half a surrogate pair, which no UTF-8 can",
                parsed_->name);
  }
  return text;
}

}  // namespace bothy::jinja
