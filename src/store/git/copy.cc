#include "store/git/copy.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/copy_file.h"

namespace bothy::git {
namespace {

namespace fs = std::filesystem;

// Of a repository that is being repacked all the time: a repack takes longer than a look.
constexpr int kMaxLooks = 10;
constexpr const char* kPacks = "objects/pack";
constexpr size_t kLooseNameLength = 38;  // 40 digits without the two of its folder

bool IsHex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

bool IsPackFile(std::string_view name) {
  if (!name.starts_with("pack-")) return false;
  const std::string_view ending = name.substr(std::min(name.find('.'), name.size()));
  return ending == ".pack" || ending == ".idx" || ending == ".rev" || ending == ".bitmap";
}

// Of another writer's, that is not there yet or is no part of the repository.
bool IsTemporary(std::string_view name) { return name.ends_with(".lock") || name.ends_with(".part"); }

class Copy {
 public:
  Copy(const fs::path& from, const fs::path& to, const fs::path& earlier) : from_(from), to_(to), earlier_(earlier) {}

  Result<CopiedRepository> Run() {
    for (const char* folder : {"refs/heads", "refs/tags", "objects/pack", "objects/info", "info"}) {
      TRY(MakeFolder(folder));
    }
    // Loose refs before packed ones: git packs a ref before it removes the loose one, so none falls between.
    TRY(CopyBelow("refs"));
    TRY(CopyFolder("", [](std::string_view name) { return !IsTemporary(name); }));
    TRY(CopyFolder("info", [](std::string_view name) { return !IsTemporary(name); }));
    std::error_code error;
    if (!fs::exists(to_ / "HEAD", error)) return Gone();
    // It leads to commits that are there by now.
    TRY(CopyFolder("objects/info", [](std::string_view name) { return name == "commit-graph"; }));
    for (int look = 0; look < kMaxLooks; look++) {
      if (!TRY(CopyObjects())) continue;
      if (!fs::exists(from_ / "HEAD", error)) return Gone();  // moved or deleted, and so found empty
      return copied_;
    }
    return Fail(ErrorCode::kUnavailable, "{}: is repacked faster than it is copied: try again later", from_.string());
  }

 private:
  tl::unexpected<Error> Gone() const {
    return Fail(ErrorCode::kNotFound, "{}: there is no repository", from_.string());
  }

  // What is in a folder, in the order of names; nothing where it is not there.
  Result<std::vector<fs::directory_entry>> List(const fs::path& folder) const {
    std::vector<fs::directory_entry> entries;
    std::error_code error;
    for (fs::directory_iterator it(from_ / folder, error), end; !error && it != end; it.increment(error)) {
      entries.push_back(*it);
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      return Fail(ErrorCode::kInternal, "{}: {}", (from_ / folder).string(), error.message());
    }
    std::sort(entries.begin(), entries.end());
    return entries;
  }

  Result<void> MakeFolder(const fs::path& folder) const {
    std::error_code error;
    fs::create_directories(to_ / folder, error);
    if (error) return Fail(ErrorCode::kInternal, "{}: {}", (to_ / folder).string(), error.message());
    return {};
  }

  // Nothing where it has gone meanwhile.
  Result<void> CopyOne(const fs::path& file) {
    const auto size = CopyFile(from_ / file, to_ / file);
    if (!size && size.error().code == ErrorCode::kNotFound) return {};
    if (!size) return tl::unexpected(size.error());
    Count(*size);
    copied_.new_bytes += *size;
    return {};
  }

  void Count(uint64_t size) {
    copied_.files++;
    copied_.bytes += size;
  }

  // What may change, from one folder.
  template <class Wanted>
  Result<void> CopyFolder(const fs::path& folder, const Wanted& wanted) {
    for (const fs::directory_entry& entry : TRY(List(folder))) {
      std::error_code gone;
      const std::string name = entry.path().filename().string();
      if (wanted(name) && entry.symlink_status(gone).type() == fs::file_type::regular) TRY(CopyOne(folder / name));
    }
    return {};
  }

  Result<void> CopyBelow(const fs::path& folder) {
    TRY(CopyFolder(folder, [](std::string_view name) { return !name.ends_with(".lock"); }));
    for (const fs::directory_entry& entry : TRY(List(folder))) {
      std::error_code gone;
      if (entry.symlink_status(gone).type() != fs::file_type::directory) continue;
      const fs::path below = folder / entry.path().filename();
      TRY(MakeFolder(below));
      TRY(CopyBelow(below));
    }
    return {};
  }

  // Whether all is there. Objects go from where they were only when a pack has them: so loose ones before packs, and
  // packs until none of a listing has gone by the end of the next one. What comes meanwhile is of later refs.
  Result<bool> CopyObjects() {
    for (const fs::directory_entry& folder : TRY(List("objects"))) {
      const std::string first = folder.path().filename().string();
      if (first.size() == 2 && IsHex(first)) TRY(CopyLooseObjects(fs::path("objects") / first));
    }
    const std::vector<std::string> packs = TRY(ListPacks());
    for (const std::string& name : packs) TRY(CopyObject(fs::path(kPacks) / name));
    const std::vector<std::string> still_there = TRY(ListPacks());
    if (!std::includes(still_there.begin(), still_there.end(), packs.begin(), packs.end())) return false;
    TRY(RemoveOtherPacks(packs));
    return true;
  }

  // Those of an earlier look that a repack has replaced meanwhile, whole or not.
  Result<void> RemoveOtherPacks(const std::vector<std::string>& packs) {
    std::vector<fs::path> others;
    std::error_code error;
    for (fs::directory_iterator it(to_ / kPacks, error), end; !error && it != end; it.increment(error)) {
      if (!std::binary_search(packs.begin(), packs.end(), it->path().filename().string())) others.push_back(*it);
    }
    for (const fs::path& other : others) {
      if (error) break;
      const uint64_t size = fs::file_size(other, error);
      if (!error) fs::remove(other, error);
      copied_.files--;
      copied_.bytes -= size;
    }
    if (error) return Fail(ErrorCode::kInternal, "{}: {}", (to_ / kPacks).string(), error.message());
    return {};
  }

  Result<void> CopyLooseObjects(const fs::path& folder) {
    bool made = false;
    for (const fs::directory_entry& entry : TRY(List(folder))) {
      const std::string name = entry.path().filename().string();
      if (name.size() != kLooseNameLength || !IsHex(name)) continue;
      if (!std::exchange(made, true)) TRY(MakeFolder(folder));
      TRY(CopyObject(folder / name));
    }
    return {};
  }

  // In the order of their names.
  Result<std::vector<std::string>> ListPacks() const {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : TRY(List(kPacks))) {
      std::string name = entry.path().filename().string();
      if (IsPackFile(name)) names.push_back(std::move(name));
    }
    return names;
  }

  Result<void> CopyObject(const fs::path& file) {
    std::error_code error;
    if (!fs::exists(to_ / file, error) && !LinkToEarlier(file)) TRY(CopyOne(file));
    return {};
  }

  // The name says what the content is, the size that it came whole.
  bool LinkToEarlier(const fs::path& file) {
    if (earlier_.empty()) return false;
    std::error_code error;
    const uint64_t size = fs::file_size(from_ / file, error);
    if (error || fs::file_size(earlier_ / file, error) != size || error) return false;
    fs::create_hard_link(earlier_ / file, to_ / file, error);
    if (error) return false;
    Count(size);
    return true;
  }

  const fs::path& from_;
  const fs::path& to_;
  const fs::path& earlier_;
  CopiedRepository copied_;
};

}  // namespace

Result<CopiedRepository> CopyRepository(const fs::path& from, const fs::path& to, const fs::path& earlier) {
  std::error_code error;
  if (!fs::is_directory(from, error)) {
    return Fail(ErrorCode::kNotFound, "{}: there is no repository", from.string());
  }
  if (fs::exists(to, error)) return Fail(ErrorCode::kAlreadyExists, "{}: is there already", to.string());
  return Copy(from, to, earlier).Run();
}

}  // namespace bothy::git
