#include "store/git/objects.h"

#include <random>

#include "store/git/git_testing.h"
#include "store/git/object_writer.h"
#include "store/git/tree_edit.h"

namespace bothy::git {
namespace {

class Objects : public GitTest {
 protected:
  // A tree of that size, whose files have names of `name_bytes`.
  Oid WriteTree(ObjectWriter& writer, uint64_t size, size_t name_bytes, char first) {
    constexpr size_t kRest = 7 + 1 + Oid::kBytes;  // "100644 ", NUL, oid
    std::string bytes;
    bytes.reserve(size);
    for (int i = 0; bytes.size() < size; i++) {
      const uint64_t left = size - bytes.size();
      const bool last = left < 2 * (name_bytes + kRest);
      std::string name = fmt::format("{}{:07}", first, i);
      name.resize(last ? left - kRest : name_bytes, 'x');
      AppendEntry(bytes, {.name = name, .mode = kModeFile, .oid = {}});
    }
    return *writer.Write(ObjectKind::kTree, bytes);
  }
};

TEST_F(Objects, EntriesOfATreeAreFoundHoweverOftenItIsAsked) {
  // In git's order "a.b", "a/", "a0"; then one that no honest program writes.
  const std::string blob = Git({"hash-object", "-w", "--stdin"}, "x");
  const Oid oid = *Oid::FromHex(blob);
  std::mt19937 random(5);
  for (const bool ordered : {true, false}) {
    std::vector<RawEntry> entries = {{"a.b", kModeFile, oid}, {"a", kModeFolder, oid}, {"a0", kModeFile, oid}};
    std::vector<std::string> names;
    for (int i = 0; i < 50; i++) names.push_back(fmt::format("f{:02}", i));
    for (const std::string& name : names) entries.push_back({name, kModeFile, oid});
    if (!ordered) std::shuffle(entries.begin(), entries.end(), random);
    std::string bytes;
    for (const RawEntry& entry : entries) AppendEntry(bytes, entry);
    const auto tree = Oid::FromHex(Git({"hash-object", "-t", "tree", "--literally", "-w", "--stdin"}, bytes));
    auto reader = ObjectReader::Open(*repository_);
    ASSERT_OK(reader);
    for (int times = 0; times < 3; times++) {
      for (const RawEntry& entry : entries) {
        const auto found = (*(*reader).ReadTree(*tree))->Find(entry.name);
        ASSERT_OK(found);
        ASSERT_TRUE(*found) << entry.name;
        EXPECT_EQ((*found)->name, entry.name);
        EXPECT_EQ((*found)->mode, entry.mode);
      }
      for (const char* none : {"", "a/", "a1", "f", "f50", "z"})
        EXPECT_FALSE(*(*(*reader).ReadTree(*tree))->Find(none));
    }
  }
}

TEST_F(Objects, TreesAreReadWithinLimits) {
  auto writer = ObjectWriter::Open(*repository_);
  ASSERT_OK(writer);
  const Oid one = WriteTree(*writer, kMaxTreeBytes, 255, 'a'), two = WriteTree(*writer, kMaxTreeBytes, 255, 'b');
  const Oid three = WriteTree(*writer, kMaxTreeBytes, 255, 'c');
  const Oid rest = WriteTree(*writer, ObjectReader::kTreeCacheBytes, 255, 'c');
  const Oid over = WriteTree(*writer, kMaxTreeBytes + 1, 255, 'd'), small = WriteTree(*writer, 100, 10, 'e');
  ASSERT_OK(writer->Flush());
  auto reader = ObjectReader::Open(*repository_);
  ASSERT_OK(reader);
  EXPECT_EQ(reader->ReadTree(over).error().code, ErrorCode::kResourceExhausted);
  {
    const auto first = reader->ReadTree(one), second = reader->ReadTree(two), third = reader->ReadTree(rest);
    ASSERT_OK(first);
    ASSERT_OK(second);
    ASSERT_OK(third);
    EXPECT_EQ(reader->ReadTree(small).error().code, ErrorCode::kResourceExhausted);
  }
  EXPECT_OK(reader->ReadTree(small));
  // Two at a time, as where a history of such a folder is looked through.
  for (const auto& [before, after] : {std::pair{one, two}, {two, three}, {three, one}}) {
    const auto held = reader->ReadTree(before);
    ASSERT_OK(held);
    ASSERT_OK(reader->ReadTree(after));
  }
}

TEST_F(Objects, AWalkKeepsFewTreesOfManyThatItReads) {
  auto writer = ObjectWriter::Open(*repository_);
  ASSERT_OK(writer);
  std::vector<Oid> trees;
  for (char c = 'a'; c < 'a' + 20; c++) trees.push_back(WriteTree(*writer, 12 << 20, 255, c));
  ASSERT_OK(writer->Flush());
  auto reader = ObjectReader::Open(*repository_);
  ASSERT_OK(reader);
  for (const Oid& tree : trees) ASSERT_OK(reader->ReadTree(tree));
}

TEST_F(Objects, AFolderThatCouldNotBeReadIsNotWritten) {
  auto writer = ObjectWriter::Open(*repository_);
  ASSERT_OK(writer);
  constexpr uint64_t kEntryOfZ = 7 + 1 + 1 + Oid::kBytes;
  const Oid base = WriteTree(*writer, kMaxTreeBytes - kEntryOfZ, 255, 'a');
  ASSERT_OK(writer->Flush());
  auto reader = ObjectReader::Open(*repository_);
  ASSERT_OK(reader);
  TreeEdit fits, over;
  ASSERT_OK(fits.Put("z", base, kModeFile));
  ASSERT_OK(over.Put("zz", base, kModeFile));
  EXPECT_OK(fits.Apply(*reader, *writer, base));
  EXPECT_EQ(over.Apply(*reader, *writer, base).error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace bothy::git
