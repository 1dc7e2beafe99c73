#include "text/chat_template.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/testing.h"
#include "codec/jinja/testing.h"
#include "codec/json.h"

namespace bothy {
namespace {

json::value ParseFile(const std::filesystem::path& path) {
  const auto parsed = json::Parse(ReadTestFile(path), path.string());
  if (!parsed) ADD_FAILURE() << parsed.error().message;
  return parsed ? *parsed : json::value();
}

// Renders all of a golden folder and counts what it compared.
size_t CompareFolder(const std::filesystem::path& folder) {
  const json::value conversations = ParseFile(folder / "conversations.json");
  std::map<std::string, Result<ChatTemplate>> templates;
  const json::value index = ParseFile(folder / "templates.json");
  for (const auto& [name, entry] : index.as_object()) {
    std::vector<std::pair<std::string, std::string>> tokens;
    for (const auto& [token, text] : entry.at("special_tokens").as_object()) {
      tokens.emplace_back(token, std::string(text.as_string()));
    }
    const std::string source = ReadTestFile(folder / std::string(entry.at("file").as_string()));
    templates.emplace(name, ChatTemplate::Create(source, std::string(name), std::move(tokens)));
  }
  const std::string text = ReadTestFile(folder / "golden.jsonl");
  size_t count = 0;
  size_t start = 0;
  for (size_t end = text.find('\n'); end != std::string::npos; start = end + 1, end = text.find('\n', start)) {
    const auto row = json::Parse(std::string_view(text).substr(start, end - start), "golden.jsonl");
    if (!row) {
      ADD_FAILURE() << row.error().message;
      return count;
    }
    const std::string name(row->at("template").as_string());
    const std::string conversation(row->at("conversation").as_string());
    const json::object& request = conversations.at("conversations").at(conversation).as_object();
    const auto& chat_template = templates.at(name);
    if (!chat_template) {
      ADD_FAILURE() << chat_template.error().message;
      return count;
    }
    const auto rendered = chat_template->Render(request, jinja::AtGoldenTime());
    ++count;
    if (const auto* output = row->as_object().if_contains("output")) {
      if (!rendered) {
        ADD_FAILURE() << conversation << ": " << rendered.error().message;
      } else {
        EXPECT_EQ(*rendered, std::string(output->as_string())) << name << ": " << conversation;
      }
    } else {
      EXPECT_FALSE(rendered) << name << ": " << conversation << " should fail: " << row->at("message").as_string();
    }
  }
  return count;
}

TEST(ChatTemplateGolden, TheCommittedTemplatesRenderAsTheReferenceDoes) {
  EXPECT_EQ(CompareFolder(Golden() / "chat-templates"), 612);
}

TEST(ChatTemplateGolden, AllTemplatesRenderAsTheReferenceDoes) {
  BOTHY_NEEDS_TEST_DATA();
  EXPECT_EQ(CompareFolder(*TestData() / "golden" / "chat-templates"), 908);
}

}  // namespace
}  // namespace bothy
