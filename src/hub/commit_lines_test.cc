#include "hub/commit_lines.h"

#include <vector>

#include "base/base64.h"
#include "base/testing.h"

namespace bothy {
namespace {

constexpr std::string_view kHeader = R"({"key":"header","value":{"summary":"s","description":"d"}})";

std::string Base64(std::string_view text) { return EncodeBase64(std::as_bytes(std::span(text))); }

std::string FileLine(std::string_view path, std::string_view content) {
  return fmt::format(R"({{"key":"file","value":{{"content":"{}","path":"{}","encoding":"base64"}}}})", Base64(content),
                     path);
}

// What a text's lines are, read in pieces of `piece` bytes.
Result<std::vector<CommitLine>> ReadAll(std::string_view text, size_t piece = SIZE_MAX) {
  std::vector<CommitLine> lines;
  CommitLineReader reader([&](CommitLine line) -> Result<void> {
    lines.push_back(std::move(line));
    return {};
  });
  while (!text.empty()) {
    TRY(reader.Add(text.substr(0, piece)));
    text.remove_prefix(std::min(piece, text.size()));
  }
  TRY(reader.Finish());
  return lines;
}

ErrorCode CodeOf(std::string_view text) {
  const auto lines = ReadAll(text);
  EXPECT_FALSE(lines) << text.substr(0, 200);
  return lines ? ErrorCode::kInternal : lines.error().code;
}

std::string WithHeader(std::string_view line) { return fmt::format("{}\n{}\n", kHeader, line); }

TEST(CommitLines, EveryOperationOfTheClientsIsRead) {
  const std::string sha256(64, 'A');
  const auto text = fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}\n{}\n", R"({"key":"header","value":{"summary":"s","description":"","parentCommit":"p"}})",
      FileLine("a.txt", "hello"),
      fmt::format(R"({{"key":"lfsFile","value":{{"path":"b","algo":"sha256","oid":"{}","size":12}}}})", sha256),
      fmt::format(R"({{"key":"lfsFile","value":{{"path":"c","algo":"sha256","oid":"{}"}}}})", sha256),
      R"({"key":"deletedFile","value":{"path":"d"}})", R"({"key":"deletedFolder","value":{"path":"e"}})",
      R"({"key":"copyFile","value":{"srcPath":"f","srcRevision":"main","path":"g"}})");
  for (const size_t piece : {size_t{1}, size_t{7}, text.size()}) {
    const auto lines = ReadAll(text, piece);
    ASSERT_OK(lines);
    ASSERT_EQ(lines->size(), 7u);
    EXPECT_EQ(std::get<CommitHeader>((*lines)[0]).parent, "p");
    EXPECT_EQ(std::get<AddedFile>((*lines)[1]).content, "hello");
    EXPECT_EQ(std::get<AddedLargeFile>((*lines)[2]).sha256, std::string(64, 'a'));
    EXPECT_EQ(std::get<AddedLargeFile>((*lines)[2]).size, 12u);
    EXPECT_EQ(std::get<AddedLargeFile>((*lines)[3]).size, std::nullopt);
    EXPECT_EQ(std::get<DeletedFile>((*lines)[4]).path, "d");
    EXPECT_EQ(std::get<DeletedFolder>((*lines)[5]).path, "e");
    EXPECT_EQ(std::get<CopiedFile>((*lines)[6]).from, "f");
    EXPECT_EQ(std::get<CopiedFile>((*lines)[6]).revision, "main");
    EXPECT_EQ(std::get<CopiedFile>((*lines)[6]).path, "g");
  }
}

TEST(CommitLines, TheLastLineNeedNotBeEnded) {  // the JavaScript client does not
  const auto lines = ReadAll(std::string(kHeader) + "\r\n\n" + FileLine("a", "x"));
  ASSERT_OK(lines);
  EXPECT_EQ(lines->size(), 2u);
}

TEST(CommitLines, TheHeaderComesFirstAndOnce) {
  EXPECT_EQ(CodeOf(""), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf("\n"), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(FileLine("a", "x")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(WithHeader(kHeader)), ErrorCode::kCorrupt);
}

TEST(CommitLines, WhatIsNoOperationIsRefusedWithItsLine) {
  for (const std::string_view line :
       {"{", "[]", "1", "{}", R"({"key":"file"})", R"({"key":"file","value":1})", R"({"key":1,"value":{}})",
        R"({"key":"what","value":{}})", R"({"key":"file","value":{"path":"a"}})",
        R"({"key":"file","value":{"path":"a","content":"!","encoding":"base64"}})",
        R"({"key":"file","value":{"path":"a","content":"x","encoding":"hex"}})",
        R"({"key":"lfsFile","value":{"path":"a","algo":"sha1","oid":"0"}})",
        R"({"key":"lfsFile","value":{"path":"a","algo":"sha256","oid":"0"}})",
        R"({"key":"deletedFile","value":{"path":null}})"}) {
    const auto lines = ReadAll(WithHeader(line));
    ASSERT_FALSE(lines) << line;
    EXPECT_EQ(lines.error().code, ErrorCode::kCorrupt) << line;
    EXPECT_TRUE(lines.error().message.starts_with("line 2: ")) << lines.error().message;
  }
}

TEST(CommitLines, AFileMayBeAsLargeAsTheLimitAndNotOneByteMore) {
  EXPECT_OK(ReadAll(WithHeader(FileLine("a", std::string(kMaxRegularFileBytes, 'x')))));
  EXPECT_EQ(CodeOf(WithHeader(FileLine("a", std::string(kMaxRegularFileBytes + 1, 'x')))),
            ErrorCode::kResourceExhausted);
}

TEST(CommitLines, ALineMayBeAsLongAsTheLimitAndNotOneByteMore) {
  const std::string line = FileLine("a", "x");
  const std::string filled = line + std::string(CommitLineReader::kMaxLineBytes - line.size(), ' ');
  EXPECT_OK(ReadAll(WithHeader(filled), 1 << 20));
  EXPECT_EQ(CodeOf(WithHeader(filled + " ")), ErrorCode::kResourceExhausted);
  // Also where its end never comes.
  EXPECT_EQ(ReadAll(WithHeader(filled).substr(0, WithHeader(filled).size() - 1) + " ", 1 << 20).error().code,
            ErrorCode::kResourceExhausted);
}

TEST(CommitLines, AsManyLinesAsTheLimitAreReadAndNotOneMore) {
  std::string text = std::string(kHeader) + std::string(CommitLineReader::kMaxLines, '\n');
  EXPECT_OK(ReadAll(text));
  EXPECT_EQ(CodeOf(text + "\n"), ErrorCode::kResourceExhausted);
}

TEST(CommitLines, AMessageMayBeAsLongAsTheLimitAndNotOneByteMore) {
  const auto header = [](size_t bytes) {
    return fmt::format(R"({{"key":"header","value":{{"summary":"s","description":"{}"}}}})",
                       std::string(bytes - 1, 'd'));
  };
  EXPECT_OK(ReadAll(header(CommitLineReader::kMaxMessageBytes)));
  EXPECT_EQ(CodeOf(header(CommitLineReader::kMaxMessageBytes + 1)), ErrorCode::kResourceExhausted);
}

TEST(CommitLines, ALineOfVeryManyValuesTakesNoMemory) {
  std::string values = "[";
  for (int i = 0; i < 1'000'000; i++) values += "[],";
  EXPECT_EQ(CodeOf(WithHeader(fmt::format(R"({{"key":"file","value":{}0]}})", values))), ErrorCode::kResourceExhausted);
}

TEST(CommitLines, AnErrorOfTheConsumerEndsTheReading) {
  int seen = 0;
  CommitLineReader reader([&](CommitLine) -> Result<void> {
    if (++seen == 2) return Fail(ErrorCode::kNotFound, "no");
    return {};
  });
  const auto read = reader.Add(WithHeader(FileLine("a", "x") + "\n" + FileLine("b", "x")));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace bothy
