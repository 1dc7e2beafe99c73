// What the tests of backups and restores share: a hub with some content, and a folder of backups.
#pragma once

#include <sys/stat.h>

#include <fstream>
#include <set>
#include <string>

#include "hub/backup.h"
#include "hub/hub_testing.h"

namespace bothy {

class BackupTestBase : public HubTest {
 protected:
  void SetUp() override {
    HubTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    demo_ = Make(ada_, "demo");
    CommitLarge(ada_, demo_, "model.bin", large_);
    CommitText(ada_, demo_, "notes.txt", "first");
  }

  std::filesystem::path backups() const { return folder() / "backups"; }

  Result<BackupReport> Back(BackupOptions options = {}) {
    Wait(std::chrono::seconds(1));  // each has a name of its own
    options.folder = backups();
    return MakeBackup(*hub_, options);
  }
  // The name of a new snapshot; the test fails where there is none.
  std::string BackUp(BackupOptions options = {}) {
    const auto report = Back(std::move(options));
    EXPECT_OK(report);
    return report ? report->snapshot.name : "";
  }

  // Names of all entries of a folder, for messages and comparisons; none where it is not there.
  static std::set<std::string> NamesIn(const std::filesystem::path& place) {
    std::set<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator it(place, error), end; !error && it != end; it.increment(error)) {
      names.insert(it->path().filename().string());
    }
    return names;
  }

  // The blobs of all snapshots.
  std::vector<std::filesystem::path> PoolFiles() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(backups() / "blobs")) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
  }

  static void Overwrite(const std::filesystem::path& path, const std::string& text) {
    ASSERT_EQ(chmod(path.c_str(), 0644), 0);
    std::ofstream(path, std::ios::binary) << text;
  }

  const std::string large_ = RandomBytes(300'000, 1);
  Repository demo_;
};

}  // namespace bothy
