#include "codec/xet/reconstruction.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include "base/testing.h"
#include "codec/xet/golden_content.h"
#include "codec/xet/xorb_builder.h"
#include "codec/xet/xorb_reader.h"
#include "codec/xet/xorb_view.h"

namespace bothy::xet {
namespace {

// Xorbs of small chunks, and a file of some of them.
struct World {
  std::vector<std::string> raw;                 // of each xorb
  std::vector<std::vector<uint32_t>> raw_ends;  // of its chunks
  std::vector<Segment> file;
  std::string content;

  static Hash Name(size_t xorb) {
    Hash hash;
    hash.bytes[0] = static_cast<std::byte>(xorb);
    return hash;
  }
  RawEndsOf EndsOf() const {
    return [this](const Hash& xorb) -> Result<std::span<const uint32_t>> {
      const auto index = std::to_integer<size_t>(xorb.bytes[0]);
      if (index >= raw_ends.size()) return Fail(ErrorCode::kNotFound, "no xorb {}", index);
      return std::span(raw_ends[index]);
    };
  }
  void AddXorb(const std::vector<uint32_t>& lengths) {
    std::vector<uint32_t> ends;
    uint32_t size = 0;
    for (const uint32_t length : lengths) ends.push_back(size += length);
    raw_ends.push_back(ends);
    raw.push_back(PseudoRandom(std::to_string(raw.size()), size));
  }
  void AddSegment(size_t xorb, uint32_t begin, uint32_t end) {
    const XorbView view(raw_ends[xorb]);
    const uint32_t from = view.RawBegin(begin), size = view.RawBegin(end) - from;
    file.push_back({Name(xorb), 0, size, begin, end});
    content += raw[xorb].substr(from, size);
  }

  // What a client does: fetches every range once, unpacks it, and takes from it what the segments say.
  std::string Follow(const Reconstruction& plan) const {
    std::map<std::pair<Hash, uint32_t>, std::string> chunks;
    for (const auto& [xorb, ranges] : plan.fetches) {
      const auto index = std::to_integer<size_t>(xorb.bytes[0]);
      for (const FetchRange& range : ranges) {
        std::string bytes;
        for (const ViewPiece& piece : XorbView(raw_ends[index]).Pieces(range.byte_begin, range.byte_end)) {
          AppendBytes(bytes, piece.header_bytes());
          bytes += raw[index].substr(piece.raw_begin, piece.raw_end - piece.raw_begin);
        }
        XorbReader reader("range");
        uint32_t chunk = range.chunk_begin;
        for (auto left = BytesOf(bytes); !left.empty();) {
          const auto found = reader.Next(left);
          EXPECT_OK(found);
          if (!found) return "";
          std::string& content_of = chunks[{xorb, chunk}];
          EXPECT_EQ(content_of, "") << "a chunk that is fetched twice";
          if (*found) AppendBytes(content_of, reader.content());
          chunk++;
        }
        EXPECT_EQ(chunk, range.chunk_end);
      }
    }
    std::string all;
    for (const Segment& segment : plan.segments) {
      std::string part;
      for (uint32_t chunk = segment.chunk_begin; chunk < segment.chunk_end; chunk++) {
        const auto found = chunks.find({segment.xorb, chunk});
        EXPECT_NE(found, chunks.end());
        if (found != chunks.end()) part += found->second;
      }
      EXPECT_EQ(part.size(), segment.raw_bytes);
      all += part;
    }
    return all.substr(plan.offset_into_first);
  }
};

World Sample() {
  World world;
  world.AddXorb({5, 1, 7, 3, 9});
  world.AddXorb({2, 30});
  world.AddSegment(0, 1, 3);
  world.AddSegment(1, 0, 2);
  world.AddSegment(0, 2, 5);
  world.AddSegment(0, 0, 1);
  return world;
}

TEST(Reconstruction, EveryRangeOfAFileComesBack) {
  const World world = Sample();
  const uint64_t size = world.content.size();
  for (uint64_t begin = 0; begin < size; begin++) {
    for (uint64_t end = begin + 1; end <= size + 2; end++) {
      const auto plan = Reconstruct(world.file, begin, end, world.EndsOf());
      ASSERT_OK(plan);
      const std::string got = world.Follow(*plan);
      const std::string wanted = world.content.substr(begin, end - begin);
      ASSERT_EQ(got.substr(0, wanted.size()), wanted) << begin << " to " << end;
      // Nothing but what is left of the last chunk is too much.
      EXPECT_LT(got.size() - wanted.size(), 30u);
      EXPECT_LT(plan->offset_into_first, 30u);
    }
  }
}

TEST(Reconstruction, RangesOfOneXorbThatTouchAreFetchedTogether) {
  const World world = Sample();
  const auto plan = Reconstruct(world.file, 0, world.content.size(), world.EndsOf());
  ASSERT_OK(plan);
  EXPECT_EQ(plan->segments, world.file);
  const std::vector<FetchRange> whole = {{0, 5, 0, 25 + 5 * 8}};
  EXPECT_EQ(plan->fetches.at(World::Name(0)), whole);
  EXPECT_EQ(plan->offset_into_first, 0u);
}

TEST(Reconstruction, ARangeAfterTheEndIsSaidToBe) {
  const World world = Sample();
  const uint64_t size = world.content.size();
  for (const auto& [begin, end] :
       std::vector<std::pair<uint64_t, uint64_t>>{{size, size + 1}, {0, 0}, {7, 7}, {9, 3}}) {
    const auto plan = Reconstruct(world.file, begin, end, world.EndsOf());
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ErrorCode::kOutOfRange);
  }
  EXPECT_FALSE(Reconstruct({}, 0, 1, world.EndsOf())) << "an empty file has no ranges";
}

TEST(Reconstruction, ASegmentThatItsXorbDoesNotHaveIsRefused) {
  World world = Sample();
  world.file[1].chunk_end = 3;
  EXPECT_FALSE(Reconstruct(world.file, 0, 100, world.EndsOf()));
  EXPECT_OK(Reconstruct(world.file, 0, 5, world.EndsOf())) << "segments that are not needed are not looked at";
  world = Sample();
  world.file[0].raw_bytes++;
  EXPECT_FALSE(Reconstruct(world.file, 0, 1, world.EndsOf()));
  world.file[0].xorb = World::Name(9);
  EXPECT_EQ(Reconstruct(world.file, 0, 1, world.EndsOf()).error().code, ErrorCode::kNotFound);
}

RC_GTEST_PROP(Reconstruction, AnyRangeOfAnyFileComesBack, ()) {
  const auto number = [](uint32_t low, uint32_t high) { return *rc::gen::inRange<uint32_t>(low, high); };
  World world;
  for (uint32_t xorbs = number(1, 4); xorbs > 0; xorbs--) {
    std::vector<uint32_t> lengths;
    for (uint32_t chunks = number(1, 10); chunks > 0; chunks--) lengths.push_back(number(1, 40));
    world.AddXorb(lengths);
  }
  for (uint32_t segments = number(1, 8); segments > 0; segments--) {
    const uint32_t xorb = number(0, static_cast<uint32_t>(world.raw.size()));
    const auto chunks = static_cast<uint32_t>(world.raw_ends[xorb].size());
    const uint32_t begin = number(0, chunks);
    world.AddSegment(xorb, begin, number(begin + 1, chunks + 1));
  }
  const auto size = static_cast<uint32_t>(world.content.size());
  const uint32_t begin = number(0, size), end = number(begin + 1, size + 1);
  const auto plan = Reconstruct(world.file, begin, end, world.EndsOf());
  RC_ASSERT(plan.has_value());
  const std::string wanted = world.content.substr(begin, end - begin);
  RC_ASSERT(world.Follow(*plan).substr(0, wanted.size()) == wanted);
}

}  // namespace
}  // namespace bothy::xet
