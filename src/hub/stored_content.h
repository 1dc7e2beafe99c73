// The content store as the rest of the hub sees large content: by SHA-256 in hexadecimal digits.
#pragma once

#include "hub/large_content.h"
#include "store/content/content_store.h"

namespace bothy {

class StoredContent final : public LargeContent {
 public:
  explicit StoredContent(const content::ContentStore& store) : store_(store) {}

  Result<std::vector<std::optional<LargeFile>>> Find(std::span<const std::string> sha256s) const override;
  Result<std::vector<std::optional<LargeFile>>> Touch(std::span<const std::string> sha256s) const override;
  Result<bool> SentBy(int64_t user_id, const std::string& sha256) const override;
  Result<std::unique_ptr<ByteSource>> Open(const std::string& sha256, std::string name) const override;

 private:
  const content::ContentStore& store_;
};

// kInvalidArgument for anything but 64 hexadecimal digits.
Result<Digest256> ParseSha256(std::string_view hex);

}  // namespace bothy
