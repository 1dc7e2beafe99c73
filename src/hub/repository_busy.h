// While a call makes, moves or deletes a repository it holds the name. Internal to the files of Repositories.
#pragma once

#include <mutex>
#include <string>
#include <utility>

#include "hub/names.h"
#include "hub/repositories.h"

namespace bothy {

class Repositories::Busy {
 public:
  static Result<Busy> Take(Repositories& repositories, RepositoryKind kind, int64_t owner_id, std::string_view name) {
    std::string key = fmt::format("{}/{}/{}", KindPlural(kind), owner_id, NameKey(name));
    const std::lock_guard lock(repositories.mutex_);
    if (!repositories.busy_.insert(key).second) {
      return Fail(ErrorCode::kUnavailable, "the repository is being made, moved or deleted: try again in a moment");
    }
    return Busy(repositories, std::move(key));
  }
  Busy(Busy&& other) noexcept
      : repositories_(std::exchange(other.repositories_, nullptr)), key_(std::move(other.key_)) {}
  Busy& operator=(Busy&&) = delete;
  ~Busy() {
    if (repositories_ == nullptr) return;
    const std::lock_guard lock(repositories_->mutex_);
    repositories_->busy_.erase(key_);
  }

 private:
  Busy(Repositories& repositories, std::string key) : repositories_(&repositories), key_(std::move(key)) {}
  Repositories* repositories_;
  std::string key_;
};

}  // namespace bothy
