#include "net/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/log.h"
#include "base/testing.h"

namespace bothy::net {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Logged(const AccessRecord& record) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "access.log";
  EXPECT_OK(StartLog({.to_stderr = false, .file = file}));
  LogAccess(record);
  EXPECT_OK(StartLog({}));
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(AccessLog, IsOneLineForARequest) {
  AccessRecord record;
  record.method = "GET";
  record.path = "/api/whoami-v2";
  record.status = Status::kOk;
  record.bytes_in = 312;
  record.bytes_out = 540;
  record.seconds = 0.00184;
  record.request_id = "8f0c";
  record.remote = "10.0.0.9";
  EXPECT_THAT(Logged(record), EndsWith("Z info request id=8f0c actor=- remote=10.0.0.9 method=GET path=/api/whoami-v2 "
                                       "status=200 in=312 out=540 ms=1.8 complete=true\n"));
  record.actor = "ann";
  record.complete = false;
  EXPECT_THAT(Logged(record), HasSubstr(" actor=ann "));
  EXPECT_THAT(Logged(record), EndsWith(" complete=false\n"));
}

TEST(AccessLog, ShowsNoTokenOfAPath) {
  AccessRecord record;
  record.path = "/settings/hf_abcdefghijklmn/x";
  EXPECT_THAT(Logged(record), Not(HasSubstr("abcdefghijklmn")));
}

}  // namespace
}  // namespace bothy::net
