#include "store/blobs/local_blob_store.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/testing.h"

namespace bothy {
namespace {

// A name that begins with `first` and is otherwise made of `number`.
BlobName Name(std::string_view first, int number = 0) {
  return *BlobName::Parse(fmt::format("{}{:0{}x}", first, number, BlobName::kLength - first.size()));
}

std::string Content(const BlobStore& store, const BlobName& name) {
  const auto source = store.Open(name);
  EXPECT_OK(source);
  if (!source) return {};
  const auto text = (*source)->ReadAll(uint64_t{1} << 30);
  EXPECT_OK(text);
  return text.value_or("");
}

std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

class LocalBlobs : public testing::Test {
 protected:
  void SetUp() override { store_ = OpenStore(); }

  std::unique_ptr<BlobStore> OpenStore(const LocalBlobStoreOptions& options = {}) {
    auto store = OpenLocalBlobStore(root(), options);
    EXPECT_OK(store);
    return store ? *std::move(store) : nullptr;
  }
  std::filesystem::path root() const { return folder_.path() / "blobs"; }

  size_t FilesBelow(const std::filesystem::path& folder) const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) files += entry.is_regular_file();
    return files;
  }

  // The store's names, page after page.
  std::vector<BlobName> All() const {
    std::vector<BlobName> names;
    std::optional<BlobName> last;
    while (true) {
      const auto page = store_->List(last);
      EXPECT_OK(page);
      if (!page || page->empty()) return names;
      for (const BlobInfo& info : *page) names.push_back(info.name);
      last = names.back();
    }
  }

  const TemporaryFolder folder_;
  std::unique_ptr<BlobStore> store_;
};

TEST(BlobNames, OnlyHashesAreNames) {
  EXPECT_OK(BlobName::Parse(std::string(64, 'a')));
  const std::string good(64, '0');
  for (const std::string& bad :
       {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'), std::string(64, 'g'),
        ".." + good.substr(2), "a/" + good.substr(2), good.substr(0, 63) + '\0', good.substr(0, 63) + "\n"}) {
    const auto name = BlobName::Parse(bad);
    ASSERT_FALSE(name);
    EXPECT_EQ(name.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(LocalBlobs, ABlobIsThereOnlyAfterCommit) {
  const BlobName name = Name("ab");
  auto writer = store_->Create();
  ASSERT_OK(writer);
  std::string whole;
  for (int i = 0; i < 300; i++) {  // pieces below, at and above what is kept in memory
    const std::string piece(static_cast<size_t>(i * i * 13 % 400'000), static_cast<char>('a' + i % 26));
    ASSERT_OK((*writer)->Write(piece));
    whole += piece;
  }
  EXPECT_EQ((*writer)->size(), whole.size());
  EXPECT_EQ(*store_->Size(name), std::nullopt);
  EXPECT_EQ(store_->Open(name).error().code, ErrorCode::kNotFound);
  ASSERT_OK(store_->Commit(name, *std::move(writer)));
  EXPECT_EQ(*store_->Size(name), whole.size());
  EXPECT_TRUE(Content(*store_, name) == whole);
  EXPECT_EQ(FilesBelow(root()), 1u);
}

TEST_F(LocalBlobs, ABlobOfNoBytesIsOne) {
  ASSERT_OK(store_->Put(Name("e3"), {}));
  EXPECT_EQ(*store_->Size(Name("e3")), 0u);
  EXPECT_EQ(Content(*store_, Name("e3")), "");
}

TEST_F(LocalBlobs, AWriterThatIsDroppedLeavesNothing) {
  {
    const auto writer = store_->Create();
    ASSERT_OK((*writer)->Write(std::string(1'000'000, 'x')));
    EXPECT_EQ(FilesBelow(root()), 1u);
  }
  EXPECT_EQ(FilesBelow(root()), 0u);
}

TEST_F(LocalBlobs, AWriterKeepsLittleInMemory) {
  const auto resident = [] {
    long pages = 0, ignored = 0;
    std::ifstream("/proc/self/statm") >> ignored >> pages;
    return pages * sysconf(_SC_PAGESIZE);
  };
  const std::string piece(100'000, 'x');
  const auto writer = store_->Create();
  ASSERT_OK((*writer)->Write(piece));
  const long before = resident();
  for (int i = 0; i < 640; i++) ASSERT_OK((*writer)->Write(piece));  // 64 MB
  EXPECT_LT(resident() - before, 8 << 20);
}

TEST_F(LocalBlobs, AGroupIsCommittedWithoutADescriptorForEach) {
  constexpr int kBlobs = 600;
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few = {.rlim_cur = 100, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<NewBlob> blobs;
  for (int i = 0; i < kBlobs; i++) {
    auto writer = store_->Create();
    EXPECT_OK((*writer)->Write(fmt::format("blob {}", i)));
    blobs.push_back({Name(fmt::format("{:02x}", i % 256), i), *std::move(writer)});
  }
  // One that is a file already.
  auto large = store_->Create();
  EXPECT_OK((*large)->Write(std::string(3'000'000, 'x')));
  blobs.push_back({Name("ff", kBlobs), *std::move(large)});
  EXPECT_OK(store_->Commit(std::move(blobs)));
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  for (int i = 0; i < kBlobs; i++) {
    ASSERT_EQ(Content(*store_, Name(fmt::format("{:02x}", i % 256), i)), fmt::format("blob {}", i));
  }
  EXPECT_EQ(*store_->Size(Name("ff", kBlobs)), 3'000'000u);
  EXPECT_EQ(FilesBelow(root()), kBlobs + 1u);
}

TEST_F(LocalBlobs, LargeBlobsThatAreClosedNeedNoDescriptorUntilTheyAreCommitted) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few = {.rlim_cur = 50, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<NewBlob> blobs;
  for (int i = 0; i < 60; i++) {
    auto writer = store_->Create();
    EXPECT_OK(writer);
    EXPECT_OK((*writer)->Write(std::string(300'000, static_cast<char>('a' + i % 26))));
    EXPECT_OK((*writer)->Close());
    blobs.push_back({Name("cc", i), *std::move(writer)});
  }
  EXPECT_OK(store_->Commit(std::move(blobs)));
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  for (int i = 0; i < 60; i++) {
    EXPECT_EQ(Content(*store_, Name("cc", i)), std::string(300'000, static_cast<char>('a' + i % 26)));
  }
}

TEST_F(LocalBlobs, AGroupWithABlobThatCannotBeNamedKeepsOnlyWholeOnes) {
  std::filesystem::remove(root() / "bb");
  std::ofstream(root() / "bb") << "in the way";
  for (const int blobs : {2, 20}) {
    std::vector<NewBlob> group;
    for (int i = 0; i < blobs; i++) {
      auto writer = store_->Create();
      ASSERT_OK((*writer)->Write("content"));
      group.push_back({Name(i == blobs / 2 ? "bb" : "aa", i), *std::move(writer)});
    }
    EXPECT_FALSE(store_->Commit(std::move(group)));
    EXPECT_EQ(FilesBelow(root() / "tmp"), 0u);
    for (int i = 0; i < blobs / 2; i++) EXPECT_EQ(Content(*store_, Name("aa", i)), "content");
  }
}

TEST_F(LocalBlobs, ManyMayWriteTheSameAtOnceAndFromTwoPrograms) {
  const auto other = OpenStore();
  const std::string content(700'000, 'y');
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++) {
    threads.emplace_back([&, store = i % 2 == 0 ? store_.get() : other.get()] {
      for (int n = 0; n < 3; n++) {
        EXPECT_OK(store->Put(Name("cd"), BytesOf(content)));
        EXPECT_TRUE(Content(*store, Name("cd")) == content);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(FilesBelow(root()), 1u);
}

TEST_F(LocalBlobs, AnyRangeCanBeReadAndSent) {
  std::string content;
  for (uint64_t i = 0; i < 100'000; i++) content += static_cast<char>(i * i % 251);
  ASSERT_OK(store_->Put(Name("12"), BytesOf(content)));
  const auto source = store_->Open(Name("12"));
  ASSERT_OK(source);
  std::vector<std::byte> bytes(1000);
  ASSERT_OK((*source)->Read(98'999, bytes));
  EXPECT_TRUE(std::ranges::equal(bytes, BytesOf(content).subspan(98'999, 1000)));
  EXPECT_EQ((*source)->Read(99'001, bytes).error().code, ErrorCode::kOutOfRange);

  const auto slice = store_->OpenSlice(Name("12"), 70'000, 30'000);
  ASSERT_OK(slice);
  ASSERT_TRUE(slice->has_value());
  EXPECT_EQ((*slice)->size(), 30'000u);
  std::string sent((*slice)->size(), '\0');
  EXPECT_EQ(pread((*slice)->fd(), sent.data(), sent.size(), static_cast<off_t>((*slice)->offset())), 30'000);
  EXPECT_TRUE(sent == content.substr(70'000));
  EXPECT_OK(store_->OpenSlice(Name("12"), 100'000, 0));
  EXPECT_EQ(store_->OpenSlice(Name("12"), 70'000, 30'001).error().code, ErrorCode::kOutOfRange);
  EXPECT_EQ(store_->OpenSlice(Name("12"), 100'001, 0).error().code, ErrorCode::kOutOfRange);
  EXPECT_EQ(store_->OpenSlice(Name("13"), 0, 0).error().code, ErrorCode::kNotFound);
}

TEST_F(LocalBlobs, WhoReadsABlobReadsOnAfterItsRemoval) {
  const std::string content(500'000, 'z');
  ASSERT_OK(store_->Put(Name("34"), BytesOf(content)));
  const auto source = store_->Open(Name("34"));
  ASSERT_OK(source);
  EXPECT_TRUE(*store_->Remove(Name("34")));
  EXPECT_FALSE(*store_->Remove(Name("34")));
  EXPECT_EQ(*store_->Size(Name("34")), std::nullopt);
  EXPECT_TRUE(*(*source)->ReadAll(1 << 20) == content);
}

TEST_F(LocalBlobs, AListIsCompleteAndInOrderAndWithoutWhatIsNoBlob) {
  EXPECT_TRUE(All().empty());
  std::vector<BlobName> names;
  for (const char* first : {"00", "01", "7f", "80", "ff"}) {
    for (int i = 0; i < 6; i++) names.push_back(Name(first, (i * 7919) % 1000));
  }
  std::vector<NewBlob> blobs;
  for (const BlobName& name : names) {
    auto writer = store_->Create();
    ASSERT_OK((*writer)->Write("12345"));
    blobs.push_back({name, *std::move(writer)});
  }
  ASSERT_OK(store_->Commit(std::move(blobs)));
  std::ofstream(root() / "7f" / "notes.txt") << "not a blob";
  const auto unfinished = store_->Create();
  ASSERT_OK((*unfinished)->Write(std::string(1'000'000, 'x')));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(All(), names);
  const auto page = store_->List(names[0]);
  ASSERT_OK(page);
  EXPECT_EQ(page->front().name, names[1]);
  EXPECT_EQ(page->front().size, 5u);
  struct stat now{};
  ASSERT_EQ(stat(root().c_str(), &now), 0);
  EXPECT_GE(page->front().committed.time_since_epoch().count(), now.st_ctim.tv_sec);
}

TEST_F(LocalBlobs, AKilledWriterLeavesNoBlobAndWhatItLeavesIsSwept) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    EXPECT_OK(store_->Put(Name("aa"), BytesOf("kept")));
    const auto writer = store_->Create();
    EXPECT_OK((*writer)->Write(std::string(3'000'000, 'x')));
    (void)!write(ready[1], "r", 1);
    while (true) pause();
  }
  close(ready[1]);
  char said = 0;
  EXPECT_EQ(read(ready[0], &said, 1), 1);
  close(ready[0]);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);

  store_ = OpenStore();
  EXPECT_EQ(FilesBelow(root() / "tmp"), 1u) << "young: it could be a living program's";
  store_ = OpenStore({.leftover_age = std::chrono::seconds(0)});
  EXPECT_EQ(FilesBelow(root() / "tmp"), 0u);
  EXPECT_EQ(All(), std::vector{Name("aa")});
  EXPECT_EQ(Content(*store_, Name("aa")), "kept");
}

TEST_F(LocalBlobs, AFullDiskIsSaidEarlyAndLeavesNothing) {
  const auto small = folder_.path() / "small";
  std::filesystem::create_directory(small);
  if (mount("none", small.c_str(), "tmpfs", 0, "size=4m") != 0)
    GTEST_SKIP() << "needs to be root, to mount a small disk";
  {
    const auto store = OpenLocalBlobStore(small / "blobs");
    ASSERT_OK(store);
    const auto early = (*store)->Create(5'000'000);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, ErrorCode::kResourceExhausted);
    EXPECT_NE(early.error().message.find("5000000 bytes"), std::string::npos) << early.error().message;
    EXPECT_NE(early.error().message.find(small.string()), std::string::npos) << early.error().message;
    {
      const auto writer = (*store)->Create();
      ASSERT_OK(writer);
      Result<void> done;
      for (int i = 0; i < 10 && done; i++) done = (*writer)->Write(std::string(1'000'000, 'x'));
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().code, ErrorCode::kResourceExhausted);
      EXPECT_NE(done.error().message.find(small.string()), std::string::npos) << done.error().message;
    }
    EXPECT_OK((*store)->Put(Name("aa"), BytesOf(std::string(2'000'000, 'x'))));
  }
  umount(small.c_str());
}

TEST(LocalBlobsFolder, AFolderThatCannotBeMadeIsNamed) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  const auto store = OpenLocalBlobStore(folder.path() / "file" / "blobs");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message.find("blobs"), std::string::npos);
}

}  // namespace
}  // namespace bothy
