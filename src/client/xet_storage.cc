#include "client/xet_storage.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/xet/xorb_reader.h"
#include "net/executor.h"

namespace bothy::client {
namespace {

constexpr size_t kMaxPlan = 16 << 20;
constexpr int64_t kGrantMargin = 30;  // seconds before its end in which a grant is not used any more, as hf_xet has it

// Where the bytes of a plan's terms go.
class Assembly {
 public:
  // Bytes [begin, end) of a file, of which the plan's first term begins offset_into_first bytes before.
  Assembly(const XetPlan& plan, uint64_t begin, uint64_t end, RangeSink& sink)
      : plan_(plan), begin_(begin), end_(end), skipped_(plan.offset_into_first), sink_(sink) {
    uint64_t position = begin;  // shifted by skipped_, so that it is never negative
    places_.reserve(plan.terms.size());
    for (const XetPlan::Term& term : plan.terms) {
      places_.push_back({position, position + term.raw_bytes});
      position += term.raw_bytes;
    }
    shifted_end_ = position;
  }

  // Whether the terms are those of the range: what a storage gives that does not look at ranges is more.
  bool Fits() const {
    return shifted_end_ - skipped_ >= end_ && shifted_end_ - plan_.terms.back().raw_bytes < end_ + skipped_;
  }

  // Chunk number `chunk` of a fetch's xorb. Chunks of a fetch come in order.
  Result<void> Take(size_t fetch, uint32_t chunk, std::span<const std::byte> bytes) {
    for (size_t i = 0; i < places_.size(); i++) {
      const XetPlan::Term& term = plan_.terms[i];
      if (term.fetch != fetch || chunk < term.chunk_begin || chunk >= term.chunk_end) continue;
      Place& place = places_[i];
      if (place.end - place.position < bytes.size()) return WrongLength(term);
      TRY(WriteAt(place.position, bytes));
      place.position += bytes.size();
    }
    return Advance();
  }

  // When all chunks of a fetch have come.
  Result<void> CheckFetch(size_t fetch) const {
    for (size_t i = 0; i < places_.size(); i++) {
      if (plan_.terms[i].fetch == fetch && places_[i].position != places_[i].end) return WrongLength(plan_.terms[i]);
    }
    return {};
  }

 private:
  struct Place {
    uint64_t position = 0, end = 0;  // shifted by skipped_
  };

  static tl::unexpected<Error> WrongLength(const XetPlan::Term& term) {
    return Fail(ErrorCode::kCorrupt, "xorb {}: expected {} bytes in chunks {} to {}, found others",
                xet::ToText(term.xorb), term.raw_bytes, term.chunk_begin, term.chunk_end);
  }

  Result<void> WriteAt(uint64_t shifted, std::span<const std::byte> bytes) {
    const uint64_t first = std::max(shifted, begin_ + skipped_);
    const uint64_t last = std::min(shifted + bytes.size(), end_ + skipped_);
    if (first >= last) return {};
    return sink_.Write(first - skipped_, bytes.subspan(first - shifted, last - first));
  }

  Result<void> Advance() {
    while (open_ < places_.size() && places_[open_].position == places_[open_].end) open_++;
    const uint64_t shifted = open_ < places_.size() ? places_[open_].position : shifted_end_;
    if (shifted <= begin_ + skipped_) return {};
    return sink_.Reached(std::min(shifted - skipped_, end_));
  }

  const XetPlan& plan_;
  const uint64_t begin_, end_, skipped_;
  RangeSink& sink_;
  std::vector<Place> places_;
  uint64_t shifted_end_ = 0;
  size_t open_ = 0;  // the first term of which bytes are missing
};

// Reads one fetch's part of a xorb into the file.
Result<void> ReadFetch(HubApi& api, const XetPlan::Fetch& fetch, size_t index, Assembly& assembly, Retries& retries) {
  net::Headers headers = {{"Range", fmt::format("bytes={}-{}", fetch.byte_begin, fetch.byte_end - 1)}};
  auto response = TRY(api.Send(fetch.address, std::move(headers), retries));
  const std::string host = fetch.address.substr(0, fetch.address.find('/', fetch.address.find("//") + 2));
  if (response.status != net::Status::kPartialContent) {
    Error error = HubApi::Refusal(response, "part of a xorb from " + host);
    // The address may have come to its end: the plan is asked for again, with new ones.
    if (response.status == net::Status::kForbidden) error.code = ErrorCode::kUnavailable;
    return tl::unexpected(std::move(error));
  }
  xet::XorbReader reader("part of a xorb from " + host);
  std::vector<std::byte> buffer(kFetchBuffer);
  uint32_t left = fetch.byte_end - fetch.byte_begin;
  while (left > 0) {
    const size_t count = TRY(net::RunToCompletion(response.Read(buffer)));
    if (count == 0) return Fail(ErrorCode::kUnavailable, "a part of a xorb ended {} bytes early", left);
    if (count > left)
      return Fail(ErrorCode::kCorrupt, "a part of a xorb is longer than the {} bytes asked for",
                  fetch.byte_end - fetch.byte_begin);
    left -= static_cast<uint32_t>(count);
    auto bytes = std::span<const std::byte>(buffer).first(count);
    while (TRY(reader.Next(bytes))) {
      const auto chunk = fetch.chunk_begin + static_cast<uint32_t>(reader.chunks().size()) - 1;
      TRY(assembly.Take(index, chunk, reader.content()));
    }
  }
  TRY(reader.FinishPart());
  return assembly.CheckFetch(index);
}

}  // namespace

Result<XetGrant> XetStorage::Grant() {
  // Held while it is asked for, so that many threads ask once.
  const std::lock_guard lock(mutex_);
  if (!grant_ || grant_->expires < now_() + kGrantMargin) {
    auto grant = api_.GrantXet(name_, commit_);
    if (!grant && grant.error().code == ErrorCode::kNotFound) {
      return Fail(ErrorCode::kUnimplemented, "{}", grant.error().message);
    }
    grant_ = TRY(std::move(grant));
  }
  return *grant_;
}

void XetStorage::DropGrant(const std::string& token) {
  const std::lock_guard lock(mutex_);
  if (grant_ && grant_->token == token) grant_.reset();
}

Result<XetPlan> XetStorage::Plan(const xet::Hash& hash, uint64_t begin, uint64_t end, Retries& retries) {
  const XetGrant grant = TRY(Grant());
  int version = 0;
  {
    const std::lock_guard lock(mutex_);
    version = version_;
  }
  for (; version > 0; version--) {
    const std::string address = fmt::format("{}/v{}/reconstructions/{}", grant.address, version, xet::ToText(hash));
    net::Headers headers = {{"Authorization", "Bearer " + grant.token},
                            {"Range", fmt::format("bytes={}-{}", begin, end - 1)}};
    auto response = TRY(api_.Send(address, std::move(headers), retries));
    if (net::Number(response.status) / 100 == 2) {
      const std::string body = TRY_CONTEXT(address, net::RunToCompletion(net::ReadAll(response, kMaxPlan)));
      {
        const std::lock_guard lock(mutex_);
        version_ = std::min(version_, version);
      }
      return TRY_CONTEXT(address, ParseXetPlan(body));
    }
    Error error = HubApi::Refusal(response, address);
    const int status = net::Number(response.status);
    if (status == 404 || status == 501) continue;
    if (status == 401) {
      DropGrant(grant.token);
      error.code = ErrorCode::kUnavailable;
    }
    return tl::unexpected(std::move(error));
  }
  return Fail(ErrorCode::kUnimplemented, "Xet's storage at {} has no file {}", grant.address, xet::ToText(hash));
}

Result<void> XetStorage::Fetch(const RemoteFile& file, uint64_t begin, uint64_t end, RangeSink& sink,
                               Retries& retries) {
  const XetPlan plan = TRY(Plan(*file.xet, begin, end, retries));
  Assembly assembly(plan, begin, end, sink);
  if (!assembly.Fits()) {
    return Fail(ErrorCode::kCorrupt, "{}: {}: Xet's storage does not say how bytes {} to {} are put together",
                name_.FullName(), file.path, begin, end);
  }
  for (size_t i = 0; i < plan.fetches.size(); i++) TRY(ReadFetch(api_, plan.fetches[i], i, assembly, retries));
  return {};
}

}  // namespace bothy::client
