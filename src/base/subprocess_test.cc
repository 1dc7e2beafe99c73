#include "base/subprocess.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/testing.h"

namespace bothy {
namespace {

using testing::HasSubstr;

SubprocessOptions Shell(std::string script) { return {.arguments = {"sh", "-c", std::move(script)}}; }

TEST(Subprocess, StreamsMoreThanAnyBufferThroughAProgramThatEchoes) {
  auto process = Subprocess::Start({.arguments = {"cat"}});
  ASSERT_OK(process);
  const std::string block(100'000, 'x');
  int left = 300;
  uint64_t got = 0;
  const auto status = (*process)->Exchange(
      [&]() -> Result<std::string_view> { return left-- > 0 ? std::string_view(block) : std::string_view(); },
      [&](std::string_view text) -> Result<void> {
        got += text.size();
        return {};
      });
  ASSERT_OK(status);
  EXPECT_EQ(*status, 0);
  EXPECT_EQ(got, 300u * block.size());
}

TEST(Subprocess, GivesStatusAndErrorOutput) {
  auto process = Subprocess::Start(Shell("echo wrong >&2; exit 3"));
  ASSERT_OK(process);
  EXPECT_EQ((*process)->Wait(), 3);
  EXPECT_EQ((*process)->error_output(), "wrong\n");
  EXPECT_EQ((*Subprocess::Start(Shell("kill -9 $$")))->Wait(), 128 + 9);
}

TEST(Subprocess, KeepsTheBeginningOfEndlessErrorOutput) {
  auto process = Subprocess::Start(Shell("head -c 1000000 /dev/zero >&2; echo done"));
  ASSERT_OK(process);
  std::string out(100, ' ');
  EXPECT_EQ((*process)->Read(out), 5u);
  EXPECT_EQ((*process)->Wait(), 0);
  EXPECT_EQ((*process)->error_output().size(), Subprocess::kMaxErrorOutput);
}

TEST(Subprocess, SeesOnlyTheGivenEnvironmentAndNoOpenFile) {
  const int fd = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  SubprocessOptions options = Shell("/usr/bin/env; ls /proc/self/fd");
  options.environment = {"A=1"};
  const auto output = RunToEnd(options, "", 1000);
  close(fd);
  ASSERT_OK(output);
  EXPECT_THAT(*output, HasSubstr("A=1\n"));
  EXPECT_THAT(*output, testing::Not(HasSubstr("HOME=")));
  EXPECT_THAT(*output, testing::EndsWith("\n0\n1\n2\n3\n"));  // 3 is ls reading the folder
}

TEST(Subprocess, RunsInItsFolder) {
  const TemporaryFolder folder;
  SubprocessOptions options = Shell("pwd");
  options.folder = folder.path();
  EXPECT_EQ(RunToEnd(options, "", 1000), folder.path().string() + "\n");
}

TEST(Subprocess, AProgramThatDoesNotReadItsInputIsNoError) {
  EXPECT_EQ(RunToEnd(Shell("echo early"), std::string(10'000'000, 'x'), 1000), "early\n");
}

TEST(Subprocess, AProgramThatIsNotThereIsNotFound) {
  const auto process = Subprocess::Start({.arguments = {"no-such-program-of-bothy"}});
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, ErrorCode::kNotFound);
}

TEST(Subprocess, IsStoppedWithItsChildrenWhenItsTimeIsOver) {
  SubprocessOptions options = Shell("sleep 1000 & sleep 1000");
  options.timeout = std::chrono::milliseconds(50);
  const auto output = RunToEnd(options, "", 1000);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, ErrorCode::kResourceExhausted);

  options.arguments.back() = "exec >/dev/null 2>/dev/null; sleep 1000";  // gives no sign of life but its existence
  EXPECT_EQ(RunToEnd(options, "", 1000).error().code, ErrorCode::kResourceExhausted);
}

TEST(Subprocess, AnotherThreadCanStopIt) {
  auto process = Subprocess::Start(Shell("sleep 1000 & echo started; sleep 1000"));
  ASSERT_OK(process);
  std::string out(100, ' ');
  EXPECT_EQ((*process)->Read(out), 8u);
  std::thread killer([&] { (*process)->Kill(); });
  const auto status = (*process)->Wait();
  killer.join();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
}

TEST(Subprocess, AnErrorOfTheConsumerStopsIt) {
  auto process = Subprocess::Start(Shell("yes"));
  ASSERT_OK(process);
  const auto status =
      (*process)->Exchange([]() -> Result<std::string_view> { return std::string_view(); },
                           [](std::string_view) -> Result<void> { return Fail(ErrorCode::kOutOfRange, "enough"); });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "enough");
}

TEST(Subprocess, OutputOverTheLimitIsAnError) {
  EXPECT_EQ(RunToEnd(Shell("echo 123"), "", 4), "123\n");
  EXPECT_EQ(RunToEnd(Shell("echo 123"), "", 3).error().code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(RunToEnd(Shell("echo no >&2; exit 1"), "", 3).error().message, HasSubstr("status 1: no"));
}

}  // namespace
}  // namespace bothy
