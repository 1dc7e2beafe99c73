// The lines of a commit as clients send them (application/x-ndjson): a header, then one operation a line. They are
// read as they arrive; at most one line is in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "hub/preupload.h"

namespace bothy {

struct CommitHeader {
  std::string summary;
  std::string description;
  std::optional<std::string> parent;  // the commit that the client believes the branch to be at
};
struct AddedFile {
  std::string path;
  std::string content;
};
struct AddedLargeFile {
  std::string path;
  std::string sha256;            // 64 lower-case hex digits
  std::optional<uint64_t> size;  // clients leave it out for copies
};
struct DeletedFile {
  std::string path;
};
struct DeletedFolder {
  std::string path;
};
struct CopiedFile {
  std::string from;
  std::optional<std::string> revision;  // of `from`; nothing is the commit's parent
  std::string path;
};
using CommitLine = std::variant<CommitHeader, AddedFile, AddedLargeFile, DeletedFile, DeletedFolder, CopiedFile>;

// Paths are as they came. After an error the reader is of no more use.
class CommitLineReader {
 public:
  static constexpr size_t kMaxLineBytes = kMaxRegularFileBytes / 3 * 4 + (64 << 10);  // base64, and what is around it
  static constexpr uint64_t kMaxLines = 200'000;
  static constexpr size_t kMaxMessageBytes = 64 << 10;  // summary and description

  // Gets the header first and only once. What it returns in error ends the reading.
  using Consumer = std::function<Result<void>(CommitLine)>;

  explicit CommitLineReader(Consumer consume) : consume_(std::move(consume)) {}

  // kCorrupt for what is no such line, kResourceExhausted over a limit, with the line's number.
  Result<void> Add(std::string_view bytes);
  Result<void> Finish();  // the last line need not be ended; kCorrupt where there was none

 private:
  Result<void> TakeLine(std::string_view line);
  Result<void> CheckLength(size_t bytes) const;

  Consumer consume_;
  std::string line_;  // the beginning of one whose end has not come
  uint64_t lines_ = 0;
  bool has_header_ = false;
};

}  // namespace bothy
