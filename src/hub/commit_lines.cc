#include "hub/commit_lines.h"

#include <algorithm>

#include "base/base64.h"
#include "codec/json.h"

namespace bothy {
namespace {

constexpr size_t kMaxValues = 1000;  // of a line: a dozen are meant

Result<std::string> NeedString(const json::object& value, std::string_view key) {
  auto text = TRY(json::GetString(value, key));
  if (!text) return Fail(ErrorCode::kCorrupt, "\"{}\" is missing", key);
  return *std::move(text);
}

Result<CommitLine> ReadHeader(const json::object& value) {
  CommitHeader header;
  header.summary = TRY(NeedString(value, "summary"));
  header.description = TRY(json::GetString(value, "description")).value_or("");
  header.parent = TRY(json::GetString(value, "parentCommit"));
  if (header.summary.size() + header.description.size() > CommitLineReader::kMaxMessageBytes) {
    return Fail(ErrorCode::kResourceExhausted, "summary and description are longer than {} bytes",
                CommitLineReader::kMaxMessageBytes);
  }
  return header;
}

Result<CommitLine> ReadFile(const json::object& value) {
  AddedFile file;
  file.path = TRY(NeedString(value, "path"));
  const std::string encoding = TRY(json::GetString(value, "encoding")).value_or("utf-8");
  file.content = TRY(NeedString(value, "content"));
  if (encoding == "base64") {
    auto content = DecodeBase64(file.content);
    if (!content) return Fail(ErrorCode::kCorrupt, "\"content\" is not base64");
    file.content = *std::move(content);
  } else if (encoding != "utf-8") {
    return Fail(ErrorCode::kCorrupt, "\"encoding\" is neither \"base64\" nor \"utf-8\"");
  }
  if (file.content.size() > kMaxRegularFileBytes) {
    return Fail(ErrorCode::kResourceExhausted,
                "a file of {} bytes has to be uploaded as a large one: at most {} fit here", file.content.size(),
                kMaxRegularFileBytes);
  }
  return file;
}

Result<CommitLine> ReadLargeFile(const json::object& value) {
  AddedLargeFile file;
  file.path = TRY(NeedString(value, "path"));
  if (TRY(json::GetString(value, "algo")).value_or("sha256") != "sha256") {
    return Fail(ErrorCode::kCorrupt, "\"algo\" is not \"sha256\"");
  }
  file.sha256 = TRY(NeedString(value, "oid"));
  std::transform(file.sha256.begin(), file.sha256.end(), file.sha256.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (file.sha256.size() != 64 || file.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Fail(ErrorCode::kCorrupt, "\"oid\" is not 64 hex digits");
  }
  if (const auto size = TRY(json::GetInt(value, "size"))) {
    if (*size < 0) return Fail(ErrorCode::kCorrupt, "\"size\" is negative");
    file.size = static_cast<uint64_t>(*size);
  }
  return file;
}

Result<CommitLine> ReadCopy(const json::object& value) {
  return CopiedFile{.from = TRY(NeedString(value, "srcPath")),
                    .revision = TRY(json::GetString(value, "srcRevision")),
                    .path = TRY(NeedString(value, "path"))};
}

Result<CommitLine> ReadOperation(std::string_view key, const json::object& value) {
  if (key == "header") return ReadHeader(value);
  if (key == "file") return ReadFile(value);
  if (key == "lfsFile") return ReadLargeFile(value);
  if (key == "deletedFile") return DeletedFile{TRY(NeedString(value, "path"))};
  if (key == "deletedFolder") return DeletedFolder{TRY(NeedString(value, "path"))};
  if (key == "copyFile") return ReadCopy(value);
  return Fail(ErrorCode::kCorrupt, "\"key\" is none of header, file, lfsFile, deletedFile, deletedFolder, copyFile");
}

Result<CommitLine> ReadLine(std::string_view line) {
  const json::value parsed = TRY(json::Parse(line, "JSON", kMaxValues));
  const json::object* object = parsed.if_object();
  const json::object* value = object == nullptr ? nullptr : json::FindObject(*object, "value");
  if (value == nullptr) return Fail(ErrorCode::kCorrupt, "expected {{\"key\": ..., \"value\": {{...}}}}");
  return ReadOperation(TRY(NeedString(*object, "key")), *value);
}

}  // namespace

Result<void> CommitLineReader::CheckLength(size_t bytes) const {
  if (bytes <= kMaxLineBytes) return {};
  return Fail(ErrorCode::kResourceExhausted, "line {}: longer than {} bytes: upload the file as a large one",
              lines_ + 1, kMaxLineBytes);
}

Result<void> CommitLineReader::Add(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    TRY(CheckLength(line_.size() + piece.size()));
    if (end == std::string_view::npos) {
      line_ += piece;
      return {};
    }
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      TRY(TakeLine(piece));
    } else {
      line_ += piece;
      TRY(TakeLine(std::exchange(line_, {})));
    }
  }
  return {};
}

Result<void> CommitLineReader::Finish() {
  if (!line_.empty()) TRY(TakeLine(std::exchange(line_, {})));
  if (!has_header_) return Fail(ErrorCode::kCorrupt, "a commit begins with a line whose key is \"header\"");
  return {};
}

Result<void> CommitLineReader::TakeLine(std::string_view line) {
  if (++lines_ > kMaxLines) {
    return Fail(ErrorCode::kResourceExhausted, "a commit has at most {} lines: make several", kMaxLines);
  }
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
  CommitLine operation = TRY_CONTEXT(fmt::format("line {}", lines_), ReadLine(line));
  if (std::holds_alternative<CommitHeader>(operation) == has_header_) {
    return Fail(ErrorCode::kCorrupt, "line {}: {}", lines_,
                has_header_ ? "there is a header already" : "a commit begins with a line whose key is \"header\"");
  }
  has_header_ = true;
  return consume_(std::move(operation));
}

}  // namespace bothy
