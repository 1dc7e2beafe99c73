#include "api/git/push_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/git/pkt_line.h"
#include "base/testing.h"

namespace bothy::api {
namespace {

using ::testing::HasSubstr;

const std::string kZero(40, '0'), kA(40, 'a'), kB(40, 'b');

std::string Packets(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) AppendPacket(text, line);
  return text + "0000";
}

// What git 2.39 sends for `git push origin main :old`.
const std::string kPush = Packets({kA + " " + kB + " refs/heads/main" + std::string(1, '\0') +
                                       " report-status-v2 side-band-64k object-format=sha1 agent=git/2.39.5",
                                   kB + " " + kZero + " refs/heads/old"}) +
                          "PACK...";

TEST(PushRequest, IsReadWhateverPiecesItComesIn) {
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{64}, kPush.size()}) {
    PushRequestReader reader;
    std::string rest;
    for (size_t at = 0; at < kPush.size(); at += piece) {
      const std::string_view bytes = std::string_view(kPush).substr(at, piece);
      const auto used = reader.Add(bytes);
      ASSERT_OK(used);
      EXPECT_TRUE(*used == bytes.size() || reader.done());
      rest += bytes.substr(*used);
    }
    EXPECT_EQ(rest, "PACK...");
    ASSERT_TRUE(reader.done());
    const PushRequest request = reader.Take();
    ASSERT_EQ(request.updates.size(), 2u);
    EXPECT_EQ(request.updates[0].ref, "refs/heads/main");
    EXPECT_EQ(request.updates[0].before->ToHex(), kA);
    EXPECT_EQ(request.updates[0].after->ToHex(), kB);
    EXPECT_EQ(request.updates[1].ref, "refs/heads/old");
    EXPECT_EQ(request.updates[1].after, std::nullopt);
    EXPECT_TRUE(request.report && request.side_band && !request.atomic && request.BringsPack());
  }
}

TEST(PushRequest, OnlyDeletionsBringNoPack) {
  PushRequestReader reader;
  ASSERT_OK(reader.Add(Packets({kA + " " + kZero + " refs/heads/old"})));
  EXPECT_FALSE(reader.Take().BringsPack());
}

TEST(PushRequest, NothingAtAllIsAQuestionWhetherOneMayPush) {
  PushRequestReader reader;
  ASSERT_OK(reader.Add("0000"));
  EXPECT_TRUE(reader.done());
  EXPECT_TRUE(reader.Take().updates.empty());
}

TEST(PushRequest, TheEdgeOfAShallowCloneIsPassedOver) {
  PushRequestReader reader;
  ASSERT_OK(reader.Add(Packets({"shallow " + kA, kZero + " " + kB + " refs/heads/x"})));
  const PushRequest request = reader.Take();
  ASSERT_EQ(request.updates.size(), 1u);
  EXPECT_EQ(request.updates[0].before, std::nullopt);
}

TEST(PushRequest, WhatIsNoUpdateIsRefused) {
  for (const std::string& line :
       {kA + " " + kB, kA + " " + kB + " ", kA + kB + " refs/heads/x",
        kA + " " + std::string(40, 'x') + " refs/heads/x", std::string("push-cert"), std::string()}) {
    PushRequestReader reader;
    const auto added = reader.Add(Packets({line}));
    ASSERT_FALSE(added) << line;
    EXPECT_EQ(added.error().code, ErrorCode::kCorrupt);
  }
}

TEST(PushRequest, MoreThanTheMostRefsAreRefused) {
  PushRequestReader reader;
  std::string line;
  AppendPacket(line, kA + " " + kB + " refs/heads/x");
  for (size_t i = 0; i < PushRequestReader::kMaxUpdates; i++) ASSERT_OK(reader.Add(line));
  const auto one_more = reader.Add(line);
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error().code, ErrorCode::kResourceExhausted);
}

TEST(PushRequest, TheNameOfARefHasALimit) {
  const std::string line = kA + " " + kB + " ";
  PushRequestReader reader;
  EXPECT_OK(reader.Add(Packets({line + std::string(PushRequestReader::kMaxRefBytes, 'x')})));
  PushRequestReader other;
  const auto longer = other.Add(Packets({line + std::string(PushRequestReader::kMaxRefBytes + 1, 'x')}));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, ErrorCode::kResourceExhausted);
}

TEST(PushReport, SaysWhatBecameOfEachRef) {
  const PushRequest request = {.updates = {}, .report = true};
  EXPECT_EQ(WritePushReport(request, {.unpack = "ok", .refs = {{"refs/heads/a", ""}, {"refs/heads/b", "no"}}}),
            "000eunpack ok\n0014ok refs/heads/a\n0017ng refs/heads/b no\n0000");
}

TEST(PushReport, MessagesCannotMoveTheTerminalsCursor) {
  const PushRequest request = {.updates = {}, .side_band = true};
  const std::string text = WritePushReport(request, {.messages = {"a\x1b[2J\nb"}});
  EXPECT_THAT(text, HasSubstr("\x02"
                              "a?[2J?b\n"));
}

}  // namespace
}  // namespace bothy::api
