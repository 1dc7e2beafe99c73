#include "net/response_writer.h"

#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>

#include "net/date.h"

namespace bothy::net {
namespace {

constexpr size_t kJoined = 16 << 10;    // a body up to this goes out in one write with its head
constexpr size_t kFilePiece = 1 << 20;  // so that one connection does not hold up its thread's others
constexpr size_t kReadAhead = 64 << 10;

std::string DateNow() {
  thread_local int64_t last_second = 0;
  thread_local std::string last;
  const int64_t now = std::time(nullptr);
  if (now != last_second) {
    last = FormatHttpDate(now);
    last_second = now;
  }
  return last;
}

// Whether a slice's end can be sent without waiting for a disk. File systems that cannot tell count as memory.
bool InMemory(int file, uint64_t offset, size_t length) {
  char last;
  const iovec vector{&last, 1};
  const ssize_t count = preadv2(file, &vector, 1, static_cast<off_t>(offset + length - 1), RWF_NOWAIT);
  return count >= 0 || errno != EAGAIN;
}

void ReadIntoMemory(int file, uint64_t offset, size_t length) {
  const auto scratch = std::make_unique<char[]>(kReadAhead);
  for (size_t done = 0; done < length; done += kReadAhead) {
    if (pread(file, scratch.get(), std::min(kReadAhead, length - done), static_cast<off_t>(offset + done)) <= 0) return;
  }
}

// One response on its way out.
class Writer final : public BodyWriter {
 public:
  Writer(ByteStream& stream, const WriteOptions& options) : stream_(stream), options_(options) {}

  uint64_t bytes() const { return bytes_; }

  Task<Result<void>> WriteHead(std::string head, std::string_view body, bool more_follows) {
    if (body.size() <= kJoined) {
      head += body;
      body = {};
    }
    auto written = co_await WriteRaw(AsBytes(head), more_follows || !body.empty());
    CO_TRY(written);
    co_return co_await WriteRaw(AsBytes(body), more_follows);
  }

  // The body of a streamed response, as its function writes it.
  Task<Result<void>> Write(std::span<const std::byte> bytes) override {
    if (bytes.empty()) co_return Result<void>();
    auto counted = Count(bytes.size());
    CO_TRY(counted);
    if (!chunked_) co_return co_await WriteRaw(bytes, more_follows());
    std::string piece = ChunkHead(bytes.size());
    if (bytes.size() <= kJoined) {
      piece.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()).append("\r\n");
      co_return co_await WriteRaw(AsBytes(piece), false);
    }
    auto head = co_await WriteRaw(AsBytes(piece), true);
    CO_TRY(head);
    auto data = co_await WriteRaw(bytes, true);
    CO_TRY(data);
    co_return co_await WriteRaw(AsBytes("\r\n"), false);
  }

  Task<Result<void>> WriteFile(FileSlice slice) override {
    if (slice.length == 0) co_return Result<void>();
    auto counted = Count(slice.length);
    CO_TRY(counted);
    if (!chunked_) co_return co_await WriteSlice(std::move(slice), more_follows());
    auto head = co_await WriteRaw(AsBytes(ChunkHead(slice.length)), true);
    CO_TRY(head);
    auto data = co_await WriteSlice(std::move(slice), true);
    CO_TRY(data);
    co_return co_await WriteRaw(AsBytes("\r\n"), false);
  }

  Task<Result<void>> WriteStreamed(Response::Streamed& streamed, bool chunked) {
    chunked_ = chunked;
    left_ = streamed.length;
    auto written = co_await streamed.write(*this);
    CO_TRY(written);
    if (left_.value_or(0) != 0) co_return Fail(ErrorCode::kInternal, "the body is shorter than was said");
    if (!chunked) co_return Result<void>();
    co_return co_await WriteRaw(AsBytes("0\r\n\r\n"), false);
  }

  Task<Result<void>> WriteSlices(std::vector<FileSlice>& slices) {
    for (size_t i = 0; i < slices.size(); i++) {
      auto written = co_await WriteSlice(slices[i], i + 1 < slices.size());
      CO_TRY(written);
    }
    co_return Result<void>();
  }

 private:
  static std::string ChunkHead(uint64_t size) { return fmt::format("{:x}\r\n", size); }

  Result<void> Count(uint64_t bytes) {
    if (!left_) return {};
    if (bytes > *left_) return Fail(ErrorCode::kInternal, "the body is longer than was said");
    *left_ -= bytes;
    return {};
  }

  // Of a known length the system may put pieces together; of others each goes out at once, for it may be an event.
  bool more_follows() const { return left_.value_or(0) > 0; }

  Task<Result<void>> WriteRaw(std::span<const std::byte> bytes, bool more_follows) {
    auto written = co_await stream_.Write(bytes, options_.stall, more_follows);
    CO_TRY(written);
    bytes_ += bytes.size();
    co_return Result<void>();
  }

  Task<Result<void>> WriteSlice(FileSlice slice, bool more_follows) {
    const int file = slice.file->descriptor();
    uint64_t ready = 0;  // bytes that have been found in memory
    while (slice.length > 0) {
      if (ready == 0) {
        ready = std::min<uint64_t>(slice.length, kFilePiece);
        if (options_.file_workers != nullptr && !InMemory(file, slice.offset, ready)) {
          // Where no worker is free the disk is busy with others, and waiting here is no worse.
          const auto read = co_await RunBlocking(
              *options_.file_workers, [file, offset = slice.offset, ready] { ReadIntoMemory(file, offset, ready); });
          (void)read;
        }
      }
      auto sent = stream_.TrySendFile(file, slice.offset, ready, more_follows || slice.length > ready);
      const auto count = CO_TRY(sent);
      if (count) {
        slice.offset += *count;
        slice.length -= *count;
        ready -= *count;
        bytes_ += *count;
        continue;
      }
      auto waited = co_await stream_.WaitToWrite(After(options_.stall));
      CO_TRY(waited);
    }
    co_return Result<void>();
  }

  ByteStream& stream_;
  const WriteOptions& options_;
  bool chunked_ = false;
  std::optional<uint64_t> left_;
  uint64_t bytes_ = 0;
};

}  // namespace

Task<WriteOutcome> WriteResponse(ByteStream& stream, Response& response, WriteOptions options) {
  auto* const bytes = std::get_if<std::string>(&response.body);
  auto* const slices = std::get_if<std::vector<FileSlice>>(&response.body);
  auto* const streamed = std::get_if<Response::Streamed>(&response.body);
  const bool bodiless = response.status == Status::kNoContent || response.status == Status::kNotModified;
  std::optional<uint64_t> length;
  if (bytes != nullptr) length = bytes->size();
  if (slices != nullptr) length = TotalLength(*slices);
  if (streamed != nullptr) length = streamed->length;
  const bool chunked = !length && options.minor_version >= 1 && !bodiless;

  WriteOutcome outcome;
  // HTTP/1.0 knows the end of a body without a length only by the end of the connection.
  outcome.keep_alive =
      options.keep_alive && (length || chunked || bodiless) && !response.headers.ListHas("Connection", "close");

  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", Number(response.status), ReasonPhrase(response.status));
  // How the body is framed is said here and nowhere else.
  for (const char* name : {"Content-Length", "Transfer-Encoding", "Connection"}) response.headers.Remove(name);
  for (const auto& [name, value] : response.headers) head.append(name).append(": ").append(value).append("\r\n");
  if (!response.headers.Has("Date")) head.append("Date: ").append(DateNow()).append("\r\n");
  if (length && !bodiless) head.append(fmt::format("Content-Length: {}\r\n", *length));
  if (chunked) head.append("Transfer-Encoding: chunked\r\n");
  if (!outcome.keep_alive) {
    head.append("Connection: close\r\n");
  } else if (options.minor_version == 0) {
    head.append("Connection: keep-alive\r\n");
  }
  head.append("\r\n");

  Writer writer(stream, options);
  const bool has_body = !options.head_only && !bodiless;
  const bool small = has_body && bytes != nullptr;
  const bool file_follows = has_body && slices != nullptr && length.value_or(0) > 0;
  outcome.result = co_await writer.WriteHead(std::move(head), small ? std::string_view(*bytes) : "", file_follows);
  if (outcome.result && file_follows) outcome.result = co_await writer.WriteSlices(*slices);
  if (outcome.result && has_body && streamed != nullptr) {
    outcome.result = co_await writer.WriteStreamed(*streamed, chunked);
  }
  if (!outcome.result) outcome.keep_alive = false;
  outcome.bytes = writer.bytes();
  co_return outcome;
}

}  // namespace bothy::net
