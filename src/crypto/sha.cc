#include "crypto/sha.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.h"

namespace bothy {
namespace internal {

// OpenSSL's functions fail here only where memory ends or a policy of the system forbids SHA, and then nothing works.
struct ShaState::Context {
  EVP_MD_CTX* md = nullptr;
  const EVP_MD* algorithm = nullptr;
  ~Context() { EVP_MD_CTX_free(md); }
};

ShaState::ShaState(Algorithm algorithm) : context_(std::make_unique<Context>()) {
  context_->algorithm = algorithm == Algorithm::kSha1 ? EVP_sha1() : EVP_sha256();
  context_->md = EVP_MD_CTX_new();
  CHECK(context_->md != nullptr);
  CHECK(EVP_DigestInit_ex(context_->md, context_->algorithm, nullptr) == 1);
}

ShaState::ShaState(const ShaState& other) : context_(std::make_unique<Context>()) {
  context_->algorithm = other.context_->algorithm;
  context_->md = EVP_MD_CTX_new();
  CHECK(context_->md != nullptr);
  CHECK(EVP_MD_CTX_copy_ex(context_->md, other.context_->md) == 1);
}

ShaState::~ShaState() = default;
ShaState::ShaState(ShaState&&) noexcept = default;
ShaState& ShaState::operator=(ShaState&&) noexcept = default;

void ShaState::Update(std::span<const std::byte> bytes) {
  CHECK(EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()) == 1);
}

void ShaState::Finish(std::span<std::byte> out) {
  CHECK(out.size() == static_cast<size_t>(EVP_MD_get_size(context_->algorithm)));
  CHECK(EVP_DigestFinal_ex(context_->md, reinterpret_cast<unsigned char*>(out.data()), nullptr) == 1);
  CHECK(EVP_DigestInit_ex(context_->md, context_->algorithm, nullptr) == 1);
}

}  // namespace internal

Digest256 HmacSha256(std::span<const std::byte> key, std::span<const std::byte> message) {
  CHECK(key.size() <= 1 << 20);
  Digest256 digest;
  // A null pointer would mean "the key of the last call".
  const void* key_bytes = key.empty() ? static_cast<const void*>("") : key.data();
  CHECK(HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(message.data()), message.size(),
             reinterpret_cast<unsigned char*>(digest.data()), nullptr) != nullptr);
  return digest;
}

}  // namespace bothy
