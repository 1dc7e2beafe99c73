#include "codec/jinja/template.h"

#include <gtest/gtest.h>

#include <string>

#include "base/testing.h"
#include "codec/jinja/testing.h"
#include "codec/json.h"

namespace bothy::jinja {
namespace {

TEST(JinjaGolden, EveryTemplateRendersOrFailsAsTheReferenceDoes) {
  const std::string text = ReadTestFile(Golden() / "jinja" / "golden.jsonl");
  json::object context;
  size_t start = 0;
  size_t count = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; start = end + 1, end = text.find('\n', start)) {
    const auto row = json::Parse(std::string_view(text).substr(start, end - start), "golden.jsonl");
    ASSERT_OK(row);
    const json::object& object = row->as_object();
    if (const auto* values = object.if_contains("context")) {
      context = values->as_object();
      continue;
    }
    ++count;
    const std::string id(object.at("id").as_string());
    const std::string source(object.at("template").as_string());
    Result<std::string> rendered = std::string();
    const auto parsed = Template::Parse(source, id);
    if (parsed) {
      rendered = parsed->Render(context, AtGoldenTime());
    } else {
      rendered = tl::unexpected(parsed.error());
    }
    if (const auto* output = object.if_contains("output")) {
      ASSERT_TRUE(rendered) << source << "\n" << rendered.error().message;
      EXPECT_EQ(*rendered, std::string(output->as_string())) << id << ": " << source;
    } else {
      EXPECT_FALSE(rendered) << id << ": " << source << "\nrendered " << *rendered;
    }
  }
  EXPECT_EQ(count, 353);
}

}  // namespace
}  // namespace bothy::jinja
