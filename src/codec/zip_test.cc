#include "codec/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/testing.h"
#include "codec/zip_builder.h"

namespace bothy {
namespace {

using testing::HasSubstr;

Result<ZipArchive> Open(std::string_view bytes) { return ZipArchive::Open(MemorySource("m.zip", bytes)); }

std::string Text() {
  std::string text;
  for (int i = 0; i < 40'000; i++) text += std::to_string(i * i);
  return text;
}

TEST(Zip, StoredAndDeflatedMembersAreReadWithAndWithoutZip64) {
  ZipBuilder zip;
  zip.Add("b/stored", "0123456789");
  zip.Add("a", Text(), true);
  zip.Add("empty", "", true);
  for (const bool zip64 : {false, true}) {
    const auto archive = Open(zip.Finish(zip64));
    ASSERT_OK(archive);
    ASSERT_EQ(archive->members().size(), 3u);
    EXPECT_EQ(archive->ReadMember(*archive->Find("a"), 1 << 20), Text());
    EXPECT_EQ(archive->ReadMember(*archive->Find("empty"), 1 << 20), "");
    EXPECT_EQ(archive->ReadMember(*archive->Find("b/stored"), 10), "0123456789");
    EXPECT_EQ(archive->ReadMember(*archive->Find("b/stored"), 9).error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(archive->DataOffset(*archive->Find("b/stored")), 30u + 8u);
    EXPECT_EQ(archive->Find("c"), nullptr);
  }
}

TEST(Zip, ADeflatedMemberIsReadAtAnyOffset) {
  ZipBuilder zip;
  zip.Add("a", Text(), true);
  const auto archive = Open(zip.Finish());
  ASSERT_OK(archive);
  const auto source = archive->OpenMember(archive->members()[0]);
  ASSERT_OK(source);
  std::string part(5, '\0');
  ASSERT_OK((*source)->Read(4321, std::as_writable_bytes(std::span(part))));
  EXPECT_EQ(part, Text().substr(4321, 5));
}

TEST(Zip, SharedBytesAreRefused) {
  ZipBuilder zip;
  zip.Add("a", std::string(1000, 'x'));
  zip.Add("b", std::string(1000, 'x'));
  zip.members[1].header = zip.members[0].header;
  EXPECT_THAT(Open(zip.Finish()).error().message, HasSubstr("expected 1000 bytes at offset 0 before offset 0"));
}

TEST(Zip, AMemberThatIsNotWhatTheDirectorySaysIsNamed) {
  const auto message = [](auto change, bool deflated = true) {
    ZipBuilder zip;
    zip.Add("a", std::string(1000, 'x'), deflated);
    change(zip);
    const auto archive = Open(zip.Finish());
    if (!archive) return archive.error().message;
    const auto text = archive->ReadMember(archive->members()[0], 1 << 30);
    return text ? "no error" : text.error().message;
  };
  EXPECT_EQ(message([](ZipBuilder&) {}), "no error");
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.members[0].crc++; }), HasSubstr("member \"a\": expected CRC"));
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.members[0].size++; }),
              HasSubstr("expected 1001 unpacked bytes, found 1000"));
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.members[0].size--; }),
              HasSubstr("expected 999 unpacked bytes, found more"));
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.members[0].size = 1 << 29; }),
              HasSubstr("cannot become the 536870912"));
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.members[0].packed_size -= 1; }), HasSubstr("broken deflated data"));
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.bytes[40] = '\x77'; }), HasSubstr("member \"a\""));
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.members[0].name = "b"; }), HasSubstr("found another name or method"));
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.members[0].flags = 1; }), HasSubstr("encryption is not supported"));
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.members[0].method = 12; }), HasSubstr("compression method 12"));
  EXPECT_THAT(message([](ZipBuilder& zip) { zip.members[0].size = 999; }, false),
              HasSubstr("expected 999 stored bytes"));
}

}  // namespace
}  // namespace bothy
