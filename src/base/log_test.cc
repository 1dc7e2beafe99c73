#include "base/log.h"

#include <gmock/gmock.h>

#include <fstream>
#include <thread>
#include <vector>

#include "base/testing.h"

namespace bothy {
namespace {

TEST(Log, FieldsAreKeysWithValues) {
  EXPECT_EQ(LogText("request done", {{"method", "GET"}, {"status", 200}, {"seconds", 0.25}, {"cached", true}}),
            "request done method=GET status=200 seconds=0.25 cached=true");
}

TEST(Log, WhatAClientSendsCannotBeginALineOrAField) {
  EXPECT_EQ(LogText("request", {{"path", "/a b"}, {"empty", ""}, {"agent", "x\r\n2026-01-01 info admin=yes"}}),
            "request path=\"/a b\" empty=\"\" agent=\"x\\r\\n2026-01-01 info admin=yes\"");
  EXPECT_EQ(LogText("a\nb", {{"k", "\"\\=\x1b[0m\x7f"}}), "a b k=\"\\\"\\\\=\\x1b[0m\\x7f\"");
  EXPECT_EQ(LogText("unicode", {{"name", "\u0438\u0437\u0431\u0430"}}), "unicode name=\u0438\u0437\u0431\u0430");
}

TEST(Log, SecretsAreBlottedOut) {
  EXPECT_EQ(LogText("login", {{"password", "hunter2"}, {"access_token", "x"}, {"user", "ann"}}),
            "login password=*** access_token=*** user=ann");
  EXPECT_EQ(LogText("request", {{"header", "Authorization: Bearer abc.def-1 next"}}),
            "request header=\"Authorization: Bearer *** next\"");
  EXPECT_EQ(LogText("request", {{"address", "/x?t=hf_abcdefghij&u=1"}}), "request address=\"/x?t=hf_***&u=1\"");
  EXPECT_EQ(LogText("request", {{"path", "/hf_hub/hf_xet"}}), "request path=/hf_hub/hf_xet");
}

TEST(Log, LongValuesAreCut) {
  EXPECT_EQ(LogText("request", {{"path", std::string(5000, 'a')}}), "request path=" + std::string(4096, 'a') + "...");
}

TEST(Log, LinesOfAllThreadsAreInTheFileWhole) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "logs" / "bothy.log";
  ASSERT_OK(StartLog({.level = LogLevel::kInfo, .to_stderr = false, .file = file}));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([i] {
      for (int n = 0; n < 50; n++) Log(LogLevel::kInfo, "event", {{"thread", i}, {"n", n}});
      Log(LogLevel::kDebug, "unwanted");
    });
  }
  for (std::thread& thread : threads) thread.join();
  Log(LogLevel::kError, "last");
  std::ifstream in(file);
  std::string line;
  int lines = 0;
  while (std::getline(in, line)) {
    EXPECT_THAT(line, testing::MatchesRegex("20..-..-..T..:..:..\\.......Z (info event thread=. n=[0-9]+|error last)"));
    lines++;
  }
  EXPECT_EQ(lines, 201);
  ASSERT_OK(StartLog({}));
}

TEST(Log, AFileThatIsFullBecomesAnOlderOne) {
  const TemporaryFolder folder;
  ASSERT_OK(StartLog({.to_stderr = false, .file = folder.path() / "a.log", .file_bytes = 1000, .files = 2}));
  for (int n = 0; n < 100; n++) Log(LogLevel::kInfo, "event", {{"n", n}});
  ASSERT_OK(StartLog({}));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "a.1.log"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "a.2.log"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "a.3.log"));
  EXPECT_LE(std::filesystem::file_size(folder.path() / "a.log"), 1000u);
}

TEST(Log, AFileThatCannotBeMadeIsNamed) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  const auto started = StartLog({.file = folder.path() / "file" / "bothy.log"});
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("bothy.log"), std::string::npos);
}

TEST(Log, LevelsHaveNames) {
  EXPECT_EQ(*ParseLogLevel("warning"), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("loud").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace bothy
