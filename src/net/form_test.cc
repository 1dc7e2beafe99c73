#include "net/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "net/executor.h"

namespace bothy::net {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kType = "multipart/form-data; boundary=XX";

Task<std::vector<std::string>> ReadParts(BodyReader& body, std::string_view type, MultipartLimits limits,
                                         size_t out_size) {
  std::vector<std::string> seen;
  auto reader = MultipartReader::Create(body, type, limits);
  if (!reader) {
    seen.emplace_back(ErrorCodeName(reader.error().code));
    co_return seen;
  }
  std::string piece(out_size, '\0');
  for (;;) {
    auto part = co_await reader->NextPart();
    if (!part) seen.emplace_back(ErrorCodeName(part.error().code));
    if (!part || !*part) break;
    std::string text = (*part)->name + "|" + (*part)->filename.value_or("-") + "|" + (*part)->content_type + "|";
    for (;;) {
      auto read = co_await reader->Read(std::as_writable_bytes(std::span(piece)));
      if (!read) {
        seen.emplace_back(ErrorCodeName(read.error().code));
        co_return seen;
      }
      if (*read == 0) break;
      text += piece.substr(0, *read);
    }
    seen.push_back(text);
  }
  co_return seen;
}

// The same however the bytes are cut.
std::vector<std::string> Read(const std::string& text, std::string_view type = kType, MultipartLimits limits = {}) {
  MemoryBody whole(text);
  auto seen = RunToCompletion(ReadParts(whole, type, limits, 1000));
  const size_t scale = text.size() > 10'000 ? 1000 : 1;  // a byte at a time takes long there and shows nothing more
  for (const size_t piece : {1 * scale, 2 * scale, 7 * scale}) {
    MemoryBody cut(text, piece);
    EXPECT_EQ(RunToCompletion(ReadParts(cut, type, limits, piece)), seen) << text;
  }
  return seen;
}

std::string PartOf(const std::string& fields, const std::string& content) {
  return "--XX\r\n" + fields + "\r\n\r\n" + content + "\r\n";
}
const std::string kNamed = "Content-Disposition: form-data; name=\"a\"";

TEST(MultipartReader, ReadsPartAfterPart) {
  EXPECT_THAT(
      Read(PartOf(kNamed, "one") +
           PartOf("content-disposition: form-data; name=b; filename=\"x \\\"y\\\".txt\"\r\nContent-Type: image/png",
                  "two\r\n--X\r\n") +
           PartOf(kNamed, "") + "--XX--\r\nepilogue"),
      ElementsAre("a|-|text/plain|one", "b|x \"y\".txt|image/png|two\r\n--X\r\n", "a|-|text/plain|"));
  EXPECT_THAT(Read("preamble\r\n" + PartOf(kNamed, "one") + "--XX--"), ElementsAre("a|-|text/plain|one"));
  EXPECT_THAT(Read("--XX--"), ElementsAre());
  EXPECT_THAT(Read("--XX \t\r\n" + kNamed + "\r\n\r\n\r\r\n\r\n--XX--"), ElementsAre("a|-|text/plain|\r\r\n"));
  EXPECT_THAT(Read(PartOf("Content-Disposition: form-data; name=\"a\"; filename=\"C:\\dir\\f\"", "") + "--XX--"),
              ElementsAre("a|C:\\dir\\f|text/plain|"));
}

TEST(MultipartReader, LargePartsFlowThrough) {
  const std::string content(100'000, 'x');
  EXPECT_THAT(Read(PartOf(kNamed, content) + "--XX--"), ElementsAre("a|-|text/plain|" + content));
}

TEST(MultipartReader, RefusesWhatIsMalformed) {
  for (const std::string& text :
       {std::string(""), PartOf(kNamed, "one"), std::string("--XX"), std::string("--XXrubbish\r\n"),
        std::string("--XX\r\n") + kNamed, std::string("no boundary at all")}) {
    EXPECT_THAT(Read(text), testing::Contains("invalid argument")) << text;
  }
  for (const char* fields :
       {"", "Content-Type: text/plain", "Content-Disposition: form-data", "Content-Disposition: attachment; name=a",
        "Content-Disposition: form-data; name", "A b: c", "A"}) {
    EXPECT_THAT(Read(PartOf(fields, "x") + "--XX--"), ElementsAre("invalid argument")) << fields;
  }
  EXPECT_THAT(Read(PartOf(kNamed + "\r\n" + kNamed, "x") + "--XX--"), ElementsAre("invalid argument"));
  for (const char* type : {"", "text/plain", "multipart/form-data", "multipart/mixed; boundary=XX",
                           "multipart/form-data; boundary=\"\""}) {
    EXPECT_THAT(Read("--XX--", type), ElementsAre("invalid argument")) << type;
  }
}

TEST(MultipartReader, HoldsItsLimitsExactly) {
  MultipartLimits limits;
  limits.parts = 2;
  const std::string part = PartOf(kNamed, "x");
  EXPECT_EQ(Read(part + part + "--XX--", kType, limits).size(), 2u);
  EXPECT_EQ(Read(part + part + part + "--XX--", kType, limits).back(), "resource exhausted");
  limits.head_bytes = kNamed.size();
  EXPECT_EQ(Read(part + "--XX--", kType, limits).size(), 1u);
  limits.head_bytes = kNamed.size() - 1;
  EXPECT_THAT(Read(part + "--XX--", kType, limits), ElementsAre("resource exhausted"));
  limits = {};
  limits.fields = 1;
  EXPECT_THAT(Read(PartOf(kNamed + "\r\nA: b", "x") + "--XX--", kType, limits), ElementsAre("resource exhausted"));
}

}  // namespace
}  // namespace bothy::net
