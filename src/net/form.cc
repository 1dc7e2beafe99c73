#include "net/form.h"

#include <algorithm>
#include <cstring>

#include "net/media_type.h"
#include "net/target.h"

namespace bothy::net {
namespace {

constexpr size_t kPiece = 16 << 10;
constexpr size_t kMaxBoundary = 70;  // RFC 2046, 5.1.1
constexpr size_t kMaxPadding = 256;  // spaces behind a delimiter

// `form-data; name="a"; filename="b"`. Quotes in it are escaped as %22 or \" depending on the client (HTML standard,
// 4.10.21.8); backslashes in file names of old Windows clients are not escapes.
Result<Part> ParseDisposition(std::string_view value) {
  Part part;
  const auto pieces = SplitList(value, ';');
  if (pieces.empty() || !EqualsIgnoringCase(pieces[0], "form-data")) {
    return Fail(ErrorCode::kInvalidArgument, "a part is no form-data");
  }
  bool named = false;
  for (size_t i = 1; i < pieces.size(); i++) {
    const size_t equals = pieces[i].find('=');
    if (equals == std::string_view::npos) return Fail(ErrorCode::kInvalidArgument, "malformed Content-Disposition");
    const std::string_view name = pieces[i].substr(0, equals);
    std::string_view raw = pieces[i].substr(equals + 1);
    std::string text;
    if (raw.size() >= 2 && raw.front() == '"' && raw.back() == '"') {
      raw = raw.substr(1, raw.size() - 2);
      for (size_t j = 0; j < raw.size(); j++) {
        if (raw[j] == '\\' && j + 1 < raw.size() && raw[j + 1] == '"') j++;
        text += raw[j];
      }
    } else {
      text = raw;
    }
    if (EqualsIgnoringCase(name, "name") && !named) {
      part.name = std::move(text);
      named = true;
    } else if (EqualsIgnoringCase(name, "filename") && !part.filename) {
      part.filename = std::move(text);
    }
  }
  if (!named) return Fail(ErrorCode::kInvalidArgument, "a part of the form has no name");
  return part;
}

}  // namespace

Task<Result<QueryParameters>> ReadForm(Request& request, size_t limit) {
  const auto type = MediaType::Parse(request.headers.Find("Content-Type").value_or(""));
  if (!type || type->essence != "application/x-www-form-urlencoded") {
    co_return Fail(ErrorCode::kInvalidArgument, "application/x-www-form-urlencoded was expected");
  }
  request.body->SetLimit(limit);
  auto content = co_await ReadAll(*request.body, limit);
  const std::string text = CO_TRY(content);
  co_return QueryParameters::Parse(text);
}

Result<MultipartReader> MultipartReader::Create(BodyReader& body, std::string_view content_type,
                                                const MultipartLimits& limits) {
  const auto type = MediaType::Parse(content_type);
  if (!type || type->essence != "multipart/form-data") {
    return Fail(ErrorCode::kInvalidArgument, "multipart/form-data was expected");
  }
  const auto boundary = type->Find("boundary").value_or("");
  const bool printable = std::ranges::all_of(boundary, [](char c) { return c >= ' ' && c < 0x7f; });
  if (boundary.empty() || boundary.size() > kMaxBoundary || !printable || boundary.ends_with(' ')) {
    return Fail(ErrorCode::kInvalidArgument, "multipart/form-data has no valid boundary");
  }
  return MultipartReader(body, std::string(boundary), limits);
}

// Reads a piece more behind what is buffered; there must be one.
Task<Result<void>> MultipartReader::Fill() {
  buffer_.erase(0, start_);
  start_ = 0;
  const size_t size = buffer_.size();
  buffer_.resize(size + kPiece);
  auto read = co_await body_->Read(std::as_writable_bytes(std::span(buffer_).subspan(size)));
  buffer_.resize(size + (read ? *read : 0));
  const size_t bytes = CO_TRY(read);
  if (bytes == 0) co_return Fail(ErrorCode::kInvalidArgument, "the form ends in the middle");
  co_return Result<void>();
}

Task<Result<size_t>> MultipartReader::Read(std::span<std::byte> out) {
  CHECK(!out.empty());
  for (;;) {
    if (!in_part_ || done_) co_return size_t{0};
    const std::string_view buffered = std::string_view(buffer_).substr(start_);
    const size_t delimiter = buffered.find(delimiter_);
    // What could be the beginning of a delimiter waits for what follows.
    size_t content = delimiter;
    if (delimiter == std::string_view::npos) {
      content = buffered.size() - std::min(buffered.size(), delimiter_.size() - 1);
      // Only from its last "\r" on: so a piece that has none is handed out whole.
      const size_t possible = buffered.find('\r', content);
      content = possible == std::string_view::npos ? buffered.size() : possible;
    }
    if (content > 0) {
      const size_t count = std::min(content, out.size());
      std::memcpy(out.data(), buffered.data(), count);
      start_ += count;
      co_return count;
    }
    if (delimiter == 0) {
      start_ += delimiter_.size();
      in_part_ = false;
      co_return size_t{0};
    }
    auto filled = co_await Fill();
    if (!filled) done_ = true;
    CO_TRY(filled);
  }
}

// Behind a delimiter: whether another part follows.
Task<Result<bool>> MultipartReader::AfterDelimiter() {
  for (;;) {
    std::string_view buffered = std::string_view(buffer_).substr(start_);
    if (buffered.starts_with("--")) co_return false;
    const size_t padding = std::min(buffered.find_first_not_of(" \t"), buffered.size());
    buffered.remove_prefix(padding);
    if (padding <= kMaxPadding && buffered.starts_with("\r\n")) {
      start_ += padding + 2;
      co_return true;
    }
    const bool undecided = buffered.empty() || buffered == "\r" || (padding == 0 && buffered == "-");
    if (!undecided || padding > kMaxPadding) {
      co_return Fail(ErrorCode::kInvalidArgument, "malformed boundary in the form");
    }
    auto filled = co_await Fill();
    CO_TRY(filled);
  }
}

Task<Result<std::optional<Part>>> MultipartReader::NextPart() {
  std::byte scratch[512];
  for (;;) {
    auto skipped = co_await Read(scratch);
    if (CO_TRY(skipped) == 0) break;
  }
  if (done_) co_return std::optional<Part>();
  done_ = true;  // until there is a part
  auto another = co_await AfterDelimiter();
  if (!CO_TRY(another)) co_return std::optional<Part>();
  if (++parts_ > limits_.parts) co_return Fail(ErrorCode::kResourceExhausted, "more than {} parts", limits_.parts);
  for (;;) {
    const std::string_view buffered = std::string_view(buffer_).substr(start_);
    const size_t end = buffered.find("\r\n\r\n");
    // Three characters of the end may be there already.
    if (end == std::string_view::npos ? buffered.size() > limits_.head_bytes + 3 : end > limits_.head_bytes) {
      co_return Fail(ErrorCode::kResourceExhausted, "a part's head is longer than {} bytes", limits_.head_bytes);
    }
    if (end != std::string_view::npos) {
      auto parsed = ParsePart(buffered.substr(0, end + 2));
      Part part = CO_TRY(parsed);
      start_ += end + 4;
      in_part_ = true;
      done_ = false;
      co_return std::optional<Part>(std::move(part));
    }
    auto filled = co_await Fill();
    CO_TRY(filled);
  }
}

Result<Part> MultipartReader::ParsePart(std::string_view head) const {
  Part part;
  bool disposed = false;
  std::string content_type;
  size_t fields = 0;
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (++fields > limits_.fields)
      return Fail(ErrorCode::kResourceExhausted, "more than {} fields in a part", limits_.fields);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon)) ||
        !std::ranges::all_of(line, [](char c) { return c < 0 || c >= ' ' || c == '\t'; })) {
      return Fail(ErrorCode::kInvalidArgument, "a part has a malformed field");
    }
    const std::string_view value = TrimSpaces(line.substr(colon + 1));
    if (EqualsIgnoringCase(line.substr(0, colon), "Content-Disposition")) {
      if (disposed) return Fail(ErrorCode::kInvalidArgument, "a part has several Content-Dispositions");
      part = TRY(ParseDisposition(value));
      disposed = true;
    } else if (EqualsIgnoringCase(line.substr(0, colon), "Content-Type")) {
      content_type = value;
    }
  }
  if (!disposed) return Fail(ErrorCode::kInvalidArgument, "a part has no Content-Disposition");
  if (!content_type.empty()) part.content_type = std::move(content_type);
  return part;
}

}  // namespace bothy::net
