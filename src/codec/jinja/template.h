// Jinja, the language of chat templates: what jinja2 3.1 does in the sandbox that transformers runs templates in
// (ImmutableSandboxedEnvironment with trim_blocks, lstrip_blocks, loop controls, its tojson, raise_exception,
// strftime_now and generation tag). A template is hostile input: it reaches nothing but the values it is given, and a
// rendering is bounded in work, depth, memory and output.
//
// Where this differs from the reference, on purpose: integers end at 4300 decimal digits, complex numbers, \N{...} in
// strings, lipsum() and the named entities of striptags beyond the common ones are not there, and random picks the same
// every time.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy::jinja {

struct Limits {
  size_t steps = 50'000'000;        // evaluated nodes, items passed, 32 bytes of text each
  size_t depth = 1000;              // nested statements, expressions and calls
  size_t memory = size_t{1} << 28;  // bytes of values alive
  size_t output = size_t{1} << 26;  // bytes
};

struct LocalTime {
  std::tm time{};
  int microsecond = 0;
};

struct RenderOptions {
  Limits limits;
  std::optional<LocalTime> now;  // what strftime_now() sees; the clock where it is not set
};

struct ParsedTemplate;

class Template {
 public:
  // `name` is for messages. Errors name the line.
  static Result<Template> Parse(std::string_view source, std::string_view name);

  // The text for these variables. Many threads may render one template at the same time.
  Result<std::string> Render(const boost::json::object& variables, const RenderOptions& options = {}) const;

  const std::string& source() const;

 private:
  explicit Template(std::shared_ptr<const ParsedTemplate> parsed);

  std::shared_ptr<const ParsedTemplate> parsed_;
};

}  // namespace bothy::jinja
