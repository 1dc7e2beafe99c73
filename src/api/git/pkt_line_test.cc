#include "api/git/pkt_line.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace bothy::api {
namespace {

std::optional<Packet> Read(std::string_view text) {
  const auto packet = ReadPacket(text);
  EXPECT_OK(packet);
  return packet ? *packet : std::nullopt;
}

// The examples of gitprotocol-common(5).
TEST(PktLine, TheExamplesOfGitsDocumentationAreReadAndWritten) {
  const std::pair<std::string_view, std::string_view> examples[] = {
      {"0006a\n", "a\n"}, {"0005a", "a"}, {"000bfoobar\n", "foobar\n"}, {"0004", ""}};
  for (const auto& [text, data] : examples) {
    const auto packet = Read(text);
    ASSERT_TRUE(packet) << text;
    EXPECT_EQ(packet->kind, Packet::Kind::kData);
    EXPECT_EQ(packet->data, data);
    EXPECT_EQ(packet->bytes, text.size());
    std::string written;
    AppendPacket(written, data);
    EXPECT_EQ(written, text);
  }
}

TEST(PktLine, MarksHaveNoContent) {
  EXPECT_EQ(Read("0000")->kind, Packet::Kind::kFlush);
  EXPECT_EQ(Read("0001PACK")->kind, Packet::Kind::kDelimiter);
  EXPECT_EQ(Read("0002")->kind, Packet::Kind::kResponseEnd);
  EXPECT_EQ(Read("0001PACK")->bytes, 4u);
}

TEST(PktLine, APacketThatHasNotComeWholeIsWaitedFor) {
  for (const std::string_view text : {"", "0", "000", "0006", "0006a"}) EXPECT_FALSE(Read(text)) << text;
}

TEST(PktLine, ALengthThatIsNoneIsRefused) {
  for (const std::string_view text : {"0003", "xxxx", "-001", " 006", "fff1", "ffff", "PACK"}) {
    const auto packet = ReadPacket(text);
    ASSERT_FALSE(packet) << text;
    EXPECT_EQ(packet.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(Read("fff0"));  // the longest there is
}

TEST(PktLine, ABandIsCutIntoPackets) {
  const std::string data(kMaxPacketData, 'x');
  std::string out;
  AppendBand(out, Band::kProgress, data);
  const auto first = Read(out);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes, kMaxPacket);
  const auto second = Read(std::string_view(out).substr(first->bytes));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->data, "\x02x");
  EXPECT_EQ(first->bytes + second->bytes, out.size());
  EXPECT_EQ(first->data.substr(0, 2), "\x02x");
}

}  // namespace
}  // namespace bothy::api
