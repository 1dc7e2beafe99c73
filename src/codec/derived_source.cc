#include "codec/derived_source.h"

#include <algorithm>
#include <mutex>

namespace bothy {

class LastMade {
 public:
  using Bytes = std::shared_ptr<const std::vector<std::byte>>;

  uint64_t NewOwner() {
    const std::lock_guard lock(mutex_);
    return ++owners_;
  }

  // Threads that want the same bytes wait here until one of them has made them.
  Result<Bytes> Get(uint64_t owner, const MakeBytes& make) {
    const std::lock_guard lock(mutex_);
    if (owner != owner_) {
      bytes_.reset();
      owner_ = 0;
      bytes_ = std::make_shared<const std::vector<std::byte>>(TRY(make()));
      owner_ = owner;
    }
    return bytes_;
  }

 private:
  std::mutex mutex_;
  uint64_t owners_ = 0;
  uint64_t owner_ = 0;  // of bytes_; 0: nobody
  Bytes bytes_;
};

namespace {

class Slice final : public ByteSource {
 public:
  Slice(std::string name, std::shared_ptr<const ByteSource> whole, uint64_t offset, uint64_t size)
      : ByteSource(std::move(name), size), whole_(std::move(whole)), offset_(offset) {}

 private:
  Result<void> ReadRange(uint64_t offset, std::span<std::byte> out) const override {
    return whole_->Read(offset_ + offset, out);
  }

  std::shared_ptr<const ByteSource> whole_;
  uint64_t offset_;
};

class Made final : public ByteSource {
 public:
  Made(std::string name, uint64_t size, MakeBytes make, std::shared_ptr<LastMade> last)
      : ByteSource(std::move(name), size), make_(std::move(make)), last_(std::move(last)), owner_(last_->NewOwner()) {}

 private:
  Result<void> ReadRange(uint64_t offset, std::span<std::byte> out) const override {
    const LastMade::Bytes bytes = TRY(last_->Get(owner_, make_));
    CHECK(bytes->size() == size());
    std::ranges::copy(std::span(*bytes).subspan(static_cast<size_t>(offset), out.size()), out.begin());
    return {};
  }

  MakeBytes make_;
  std::shared_ptr<LastMade> last_;
  uint64_t owner_;
};

}  // namespace

std::shared_ptr<LastMade> NewLastMade() { return std::make_shared<LastMade>(); }

std::shared_ptr<const ByteSource> SliceSource(std::string name, std::shared_ptr<const ByteSource> whole,
                                              uint64_t offset, uint64_t size) {
  CHECK(offset <= whole->size() && size <= whole->size() - offset);
  return std::make_shared<Slice>(std::move(name), std::move(whole), offset, size);
}

std::shared_ptr<const ByteSource> MadeSource(std::string name, uint64_t size, MakeBytes make,
                                             std::shared_ptr<LastMade> last) {
  return std::make_shared<Made>(std::move(name), size, std::move(make), std::move(last));
}

}  // namespace bothy
