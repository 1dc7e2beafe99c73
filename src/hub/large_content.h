// What the hub needs to know of large content, which git only points to: where it lies and how it came is the business
// of whoever implements this.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"

namespace bothy {

struct LargeFile {
  uint64_t size = 0;
  std::string xet_hash;  // 64 hex digits
};

// Content is named by its SHA-256 as 64 lower-case hex digits. Safe to use from several threads.
class LargeContent {
 public:
  virtual ~LargeContent() = default;

  // What is there whole and sound, in the order asked for.
  virtual Result<std::vector<std::optional<LargeFile>>> Find(std::span<const std::string> sha256s) const = 0;

  // The same for what is about to be referred to: not collected as garbage before there was time to do so.
  virtual Result<std::vector<std::optional<LargeFile>>> Touch(std::span<const std::string> sha256s) const = 0;

  // Whether the user has sent all of its bytes, or has shown to have them.
  virtual Result<bool> SentBy(int64_t user_id, const std::string& sha256) const = 0;

  // kNotFound where it is not there. `name` is for messages.
  virtual Result<std::unique_ptr<ByteSource>> Open(const std::string& sha256, std::string name) const = 0;
};

}  // namespace bothy
