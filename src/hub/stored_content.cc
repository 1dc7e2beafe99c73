#include "hub/stored_content.h"

#include "base/hex.h"

namespace bothy {
namespace {

LargeFile ToLargeFile(const content::File& file) { return {.size = file.size, .xet_hash = xet::ToText(file.hash)}; }

}  // namespace

Result<Digest256> ParseSha256(std::string_view hex) {
  Digest256 digest;
  if (!DecodeHex(hex, digest)) {
    return Fail(ErrorCode::kInvalidArgument, "expected a SHA-256 as 64 hexadecimal digits, found \"{}\"",
                hex.substr(0, 100));
  }
  return digest;
}

Result<std::vector<std::optional<LargeFile>>> StoredContent::Find(std::span<const std::string> sha256s) const {
  std::vector<std::optional<LargeFile>> found;
  for (const std::string& sha256 : sha256s) {
    const auto file = TRY(store_.FindBySha256(TRY(ParseSha256(sha256))));
    found.push_back(file ? std::optional(ToLargeFile(*file)) : std::nullopt);
  }
  return found;
}

Result<std::vector<std::optional<LargeFile>>> StoredContent::Touch(std::span<const std::string> sha256s) const {
  std::vector<Digest256> digests;
  for (const std::string& sha256 : sha256s) digests.push_back(TRY(ParseSha256(sha256)));
  std::vector<std::optional<LargeFile>> found;
  for (const auto& file : TRY(store_.Touch(digests))) {
    found.push_back(file ? std::optional(ToLargeFile(*file)) : std::nullopt);
  }
  return found;
}

Result<bool> StoredContent::SentBy(int64_t user_id, const std::string& sha256) const {
  return store_.SentBy(user_id, TRY(ParseSha256(sha256)));
}

Result<std::unique_ptr<ByteSource>> StoredContent::Open(const std::string& sha256, std::string name) const {
  const auto file = TRY(store_.FindBySha256(TRY(ParseSha256(sha256))));
  if (!file) return Fail(ErrorCode::kNotFound, "{}: its content (SHA-256 {}) is not here", name, sha256);
  return store_.Open(file->hash, std::move(name));
}

}  // namespace bothy
