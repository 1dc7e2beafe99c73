#include "store/content/hash_ahead.h"

#include <algorithm>

#include "store/content/blob_range.h"

namespace bothy::content {
namespace {

// Of one file: 256 GiB, for which 1 MB of hashes is kept.
constexpr size_t kMaxSteps = 4096;

}  // namespace

HashAhead::~HashAhead() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  came_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<HashAhead::Line> HashAhead::LineOf(int64_t uploader) {
  if (const auto* line = lines_.Find(uploader)) return *line;
  return lines_.Put(uploader, std::make_shared<Line>());
}

std::unique_ptr<HashAhead::Place> HashAhead::Stand(int64_t uploader) {
  const std::lock_guard lock(mutex_);
  auto line = LineOf(uploader);
  auto waiting = std::make_shared<Waiting>();
  line->waiting.push_back(waiting);
  return std::make_unique<Place>(*this, std::move(line), std::move(waiting));
}

HashAhead::Place::~Place() {
  const std::lock_guard lock(ahead_.mutex_);
  waiting_->gone = true;
  while (!line_->waiting.empty() && line_->waiting.front()->gone && !line_->waiting.front()->came) {
    line_->waiting.pop_front();
  }
  // Who waited for it.
  if (!line_->waiting.empty() && line_->waiting.front()->came) ahead_.WakeFor(line_);
}

void HashAhead::Place::Came(const WholeXorb& xorb) {
  const std::lock_guard lock(ahead_.mutex_);
  if (xorb.raw_bytes < ahead_.full_) return;
  waiting_->came = xorb;
  ahead_.WakeFor(line_);
}

void HashAhead::WakeFor(std::shared_ptr<Line> line) {
  ready_.push_back(std::move(line));
  if (!thread_.joinable()) thread_ = std::thread([this] { Work(); });
  came_.notify_one();
}

void HashAhead::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    came_.wait(lock, [&] { return stop_ || !ready_.empty(); });
    if (stop_) return;
    const auto line = ready_.front();
    ready_.pop_front();
    if (!line->hashing) Hash(*line, lock);
  }
}

void HashAhead::Hash(Line& line, std::unique_lock<std::mutex>& lock) {
  line.hashing = true;
  while (!stop_ && !line.waiting.empty() && (line.waiting.front()->came || line.waiting.front()->gone)) {
    const auto xorb = line.waiting.front()->came;
    line.waiting.pop_front();
    if (!xorb) continue;
    if (line.steps.size() == kMaxSteps) line.broken = true;
    const bool wanted = !line.broken;
    const uint64_t file = line.file;
    Sha256 sha256 = line.steps.empty() ? Sha256() : line.steps.back().after;
    lock.unlock();
    bool read = true;
    if (wanted) {
      BlobRangeReader reader(blobs_);
      read = reader
                 .Read({xorb->blob, 0, xorb->raw_bytes},
                       [&](std::span<const std::byte> bytes) {
                         sha256.Update(bytes);
                         return Result<void>();
                       })
                 .has_value();
    }
    blobs_.WillNotNeed(xorb->blob);
    lock.lock();
    if (file != line.file || !wanted) continue;
    line.broken = !read;  // whoever needs it will say why
    if (read) line.steps.push_back({*xorb, std::move(sha256)});
  }
  line.hashing = false;
  hashed_.notify_all();
}

HashAhead::Begun HashAhead::Find(int64_t uploader, std::span<const WholeXorb> file) {
  std::unique_lock lock(mutex_);
  const auto line = LineOf(uploader);
  hashed_.wait(lock, [&] { return !line->hashing; });
  Hash(*line, lock);
  const size_t most = std::min(file.size(), line->steps.size());
  Begun begun;
  while (begun.xorbs < most && line->steps[begun.xorbs].xorb == file[begun.xorbs]) begun.xorbs++;
  if (begun.xorbs > 0) begun.sha256 = line->steps[begun.xorbs - 1].after;
  return begun;
}

void HashAhead::BeginNext(int64_t uploader) {
  const std::lock_guard lock(mutex_);
  Line& line = *LineOf(uploader);
  line.steps.clear();
  line.broken = false;
  line.file++;
}

}  // namespace bothy::content
