#include "client/range_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "net/executor.h"

namespace bothy::client {
namespace {

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Whether "bytes FIRST-LAST/SIZE" begins where it should and is of a file of the right size.
bool IsPartFrom(std::string_view field, uint64_t begin, uint64_t size) {
  constexpr std::string_view kUnit = "bytes ";
  const size_t dash = field.find('-'), slash = field.find('/');
  if (!field.starts_with(kUnit) || dash == std::string_view::npos || slash == std::string_view::npos) return false;
  const std::string_view whole = field.substr(slash + 1);
  return ParseNumber(field.substr(kUnit.size(), dash - kUnit.size())) == begin &&
         (whole == "*" || ParseNumber(whole) == size);
}

}  // namespace

Result<void> FetchRange(const RangeSource& source, uint64_t begin, uint64_t end, RangeSink& sink,
                        const std::function<void()>& takes_parts) {
  auto response = TRY(source.open(begin, end));
  const auto wrong = [&](std::string_view what, std::string_view found) {
    return Fail(ErrorCode::kCorrupt, "{}: expected {}, found \"{}\"", source.name, what, found);
  };
  uint64_t at = begin;
  if (response.status == net::Status::kPartialContent) {
    const std::string_view range = response.headers.Find("Content-Range").value_or("");
    if (!IsPartFrom(range, begin, source.size)) {
      return wrong(fmt::format("bytes from {} of {}", begin, source.size), range);
    }
    if (takes_parts) takes_parts();
  } else {
    const auto length = response.headers.Find("Content-Length");
    if (length && ParseNumber(*length) != source.size) return wrong(fmt::format("{} bytes", source.size), *length);
    at = 0;
    if (takes_parts) end = source.size;
  }
  std::vector<std::byte> buffer(kFetchBuffer);
  while (at < end) {
    const size_t count = TRY(net::RunToCompletion(response.Read(buffer)));
    if (count == 0) {
      return Fail(ErrorCode::kUnavailable, "{}: the transfer ended at byte {}, before {}", source.name, at, end);
    }
    // Bytes before `begin` are there already.
    const uint64_t first = std::max(at, begin), last = std::min(at + count, end);
    if (first < last) {
      TRY(sink.Write(first, std::span(buffer).subspan(first - at, last - first)));
      TRY(sink.Reached(last));
    }
    at += count;
  }
  return {};
}

Result<void> FetchPlain(HubApi& api, const RemoteContent& content, uint64_t begin, uint64_t end, RangeSink& sink,
                        Retries& retries, const std::function<void()>& takes_parts) {
  const RangeSource source = {.name = fmt::format("{}: {}", content.name.FullName(), content.file.path),
                              .size = content.file.size,
                              .open = [&](uint64_t first, uint64_t last) {
                                return api.OpenContent(content.name, content.commit, content.file, first, last,
                                                       retries);
                              }};
  return FetchRange(source, begin, end, sink, takes_parts);
}

}  // namespace bothy::client
