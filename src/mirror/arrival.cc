#include "mirror/arrival.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/hex.h"
#include "hub/stored_content.h"

namespace bothy {
namespace {

constexpr size_t kPiece = 1 << 20;

}  // namespace

// Writes where the part lies, and wakes who waits for it.
class Arrival::Sink final : public client::RangeSink {
 public:
  Sink(Arrival& arrival, size_t part, client::Retries& retries) : arrival_(arrival), part_(part), retries_(retries) {}

  Result<void> Write(uint64_t offset, std::span<const std::byte> bytes) override {
    return arrival_.partial_->Write(offset, bytes);
  }

  Result<void> Reached(uint64_t offset) override {
    const uint64_t news = TRY(arrival_.partial_->SetReached(part_, offset));
    if (news > 0) retries_.Progressed();
    arrival_.came_(news);
    const std::lock_guard lock(arrival_.mutex_);
    arrival_.changed_.notify_all();
    if (arrival_.error_) return Fail(ErrorCode::kCancelled, "{}: ended", arrival_.what_);
    return {};
  }

 private:
  Arrival& arrival_;
  const size_t part_;
  client::Retries& retries_;
};

Arrival::Arrival(client::HubApi& api, HubName name, git::Pointer pointer, const std::filesystem::path& folder,
                 std::function<void(uint64_t bytes)> came)
    : api_(api),
      name_(std::move(name)),
      pointer_(std::move(pointer)),
      what_(fmt::format("{}: large file {}", name_.FullName(), pointer_.sha256)),
      folder_(folder),
      // Two pointers to one hash may say different sizes, of which one is wrong.
      path_(folder / fmt::format("{}.{}", pointer_.sha256, pointer_.size)),
      came_(std::move(came)) {}

Result<void> Arrival::CheckRoom() const {
  if (pointer_.size > kMaxBytes) {
    return Fail(ErrorCode::kResourceExhausted, "{}: {} bytes, more than {}", what_, pointer_.size, kMaxBytes);
  }
  // Once as it comes, once in the store.
  std::error_code error;
  const auto space = std::filesystem::space(folder_, error);
  if (error || space.available / 2 >= pointer_.size) return {};
  return Fail(ErrorCode::kResourceExhausted, "{}: it has {} bytes and the disk has room for {}, of twice that", what_,
              pointer_.size, space.available);
}

Result<void> Arrival::Run(const content::ContentStore& store) {
  auto brought = Bring(store);
  if (!brought) SetError(brought.error());
  const std::lock_guard lock(mutex_);
  complete_ = brought.has_value();
  changed_.notify_all();
  return brought;
}

Result<void> Arrival::Bring(const content::ContentStore& store) {
  TRY(CheckRoom());
  auto partial = TRY(client::PartialFile::Open(path_, pointer_.size));
  {
    const std::lock_guard lock(mutex_);
    if (error_) return tl::unexpected(*error_);
    resumed_ = partial->BytesThere() > 0;
    for (size_t part = 0; part < partial->parts(); part++) {
      taken_.push_back(partial->Reached(part) == partial->PartEnd(part));
    }
    partial_ = std::move(partial);
  }
  std::vector<std::jthread> fetchers;
  const size_t parts = partial_->parts();
  for (size_t i = 0; i < std::min(kConnections, parts); i++) fetchers.emplace_back([this] { FetchParts(); });
  auto taken = TakeIn(store);
  if (!taken) SetError(taken.error());  // so that those who fetch end
  fetchers.clear();
  if (!taken && taken.error().code != ErrorCode::kCorrupt) return taken;
  partial_->Discard();
  return taken;
}

Result<void> Arrival::TakeIn(const content::ContentStore& store) {
  const auto writer =
      store.CreateFile({.sha256 = TRY(ParseSha256(pointer_.sha256)), .size = pointer_.size, .uploader = {}});
  std::vector<std::byte> buffer(kPiece);
  for (uint64_t at = 0; at < pointer_.size;) {
    uint64_t end = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return error_ || There(at) > at; });
      if (error_) return tl::unexpected(*error_);
      end = There(at);
    }
    const auto piece = std::span(buffer).first(std::min<uint64_t>(buffer.size(), end - at));
    TRY(partial_->Read(at, piece));
    TRY(writer->Write(piece));
    at += piece.size();
  }
  const auto file = writer->Finish();
  if (file) return {};
  if (file.error().code != ErrorCode::kInvalidArgument) return tl::unexpected(file.error());
  return Fail(ErrorCode::kCorrupt, "{}: what {} has sent is not what it should be: {}; nothing of it was kept", what_,
              api_.endpoint().address, file.error().message);
}

void Arrival::FetchParts() {
  while (const auto part = TakePart()) {
    const auto fetched = FetchPart(*part);
    if (!fetched) return SetError(fetched.error());
    const std::lock_guard lock(mutex_);
    alone_ = false;
    changed_.notify_all();
  }
}

// The part that somebody waits for, else the first; nothing where there is none left.
std::optional<size_t> Arrival::TakePart() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ || gives_parts_ || !alone_; });
  if (error_) return std::nullopt;
  const auto take = [&](size_t part) {
    taken_[part] = true;
    alone_ = !gives_parts_;
    return part;
  };
  for (const uint64_t offset : wanted_) {
    const size_t part = offset / client::PartialFile::kPartBytes;
    if (!taken_[part]) return take(part);
  }
  while (first_ < taken_.size() && taken_[first_]) first_++;
  if (first_ == taken_.size()) return std::nullopt;
  return take(first_);
}

Result<void> Arrival::FetchPart(size_t part) {
  client::Retries retries = api_.NewRetries();
  Sink sink(*this, part, retries);
  const uint64_t end = partial_->PartEnd(part);
  while (partial_->Reached(part) < end) {
    const auto fetched = FetchBytes(partial_->Reached(part), end, sink, retries);
    if (!fetched && !retries.Again(fetched.error())) return fetched;
  }
  return {};
}

Result<void> Arrival::FetchBytes(uint64_t begin, uint64_t end, client::RangeSink& sink, client::Retries& retries) {
  const client::LargeObject object = TRY(Object());
  bool refused = false;
  const client::RangeSource source = {.name = what_, .size = pointer_.size, .open = [&](uint64_t first, uint64_t last) {
                                        auto opened =
                                            api_.OpenObject(object, what_, pointer_.size, first, last, retries);
                                        refused = !opened && opened.error().code != ErrorCode::kUnavailable;
                                        return opened;
                                      }};
  const auto fetched = client::FetchRange(source, begin, end, sink, [this] {
    const std::lock_guard lock(mutex_);
    gives_parts_ = true;
    changed_.notify_all();
  });
  if (fetched || !refused || fetched.error().code == ErrorCode::kCancelled) return fetched;
  // Such addresses are good for a while only: another may be had.
  const std::lock_guard lock(mutex_);
  if (object_ == object) object_.reset();
  return tl::unexpected(Error{ErrorCode::kUnavailable, fetched.error().message});
}

Result<client::LargeObject> Arrival::Object() {
  {
    const std::lock_guard lock(mutex_);
    if (object_) return *object_;
  }
  client::LargeObject object = TRY(api_.FindLargeObject(name_, pointer_.sha256, pointer_.size));
  const std::lock_guard lock(mutex_);
  object_ = object;
  return object;
}

void Arrival::SetError(Error error) {
  const std::lock_guard lock(mutex_);
  if (!error_ && !complete_) error_ = std::move(error);
  changed_.notify_all();
}

void Arrival::Cancel() { SetError({ErrorCode::kCancelled, fmt::format("{}: the hub is stopping", what_)}); }

uint64_t Arrival::There(uint64_t offset) const {
  return partial_ == nullptr ? 0 : partial_->Reached(offset / client::PartialFile::kPartBytes);
}

uint64_t Arrival::GivenOut(uint64_t offset) const {
  const uint64_t held_back = complete_ ? 0 : std::min(kHeldBack, pointer_.size);
  return std::min(There(offset), pointer_.size - held_back);
}

Result<size_t> Arrival::Read(uint64_t offset, std::span<std::byte> out) {
  if (offset >= pointer_.size) return 0;
  uint64_t end = 0;
  {
    std::unique_lock lock(mutex_);
    const auto waiting = wanted_.insert(offset);
    changed_.wait(lock, [&] { return error_ || GivenOut(offset) > offset; });
    wanted_.erase(waiting);
    if (error_) return tl::unexpected(*error_);
    end = GivenOut(offset);
  }
  const size_t size = std::min<uint64_t>(out.size(), end - offset);
  TRY(partial_->Read(offset, out.first(size)));
  return size;
}

}  // namespace bothy
