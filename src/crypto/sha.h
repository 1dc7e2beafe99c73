// SHA-256 and SHA-1 (FIPS 180-4) of bytes that come in pieces, and HMAC-SHA-256 (RFC 2104). SHA-1 is for git's object
// names only.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "crypto/digest.h"

namespace bothy {

namespace internal {
// OpenSSL's context, without its headers.
class ShaState {
 public:
  enum class Algorithm { kSha1, kSha256 };
  explicit ShaState(Algorithm algorithm);
  ~ShaState();
  ShaState(const ShaState& other);
  ShaState(ShaState&&) noexcept;
  ShaState& operator=(const ShaState& other) { return *this = ShaState(other); }
  ShaState& operator=(ShaState&&) noexcept;
  void Update(std::span<const std::byte> bytes);
  void Finish(std::span<std::byte> out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};
}  // namespace internal

template <class Digest, internal::ShaState::Algorithm kAlgorithm>
class Sha {  // A copy goes on from the same bytes.
 public:
  void Update(std::span<const std::byte> bytes) { state_.Update(bytes); }
  void Update(std::string_view text) { state_.Update(std::as_bytes(std::span(text))); }

  // The hash of everything so far; the object then begins anew.
  Digest Finish() {
    Digest digest;
    state_.Finish(digest);
    return digest;
  }

  static Digest Of(std::span<const std::byte> bytes) {
    Sha sha;
    sha.Update(bytes);
    return sha.Finish();
  }
  static Digest Of(std::string_view text) { return Of(std::as_bytes(std::span(text))); }

 private:
  internal::ShaState state_{kAlgorithm};
};

using Sha1 = Sha<Digest160, internal::ShaState::Algorithm::kSha1>;
using Sha256 = Sha<Digest256, internal::ShaState::Algorithm::kSha256>;

Digest256 HmacSha256(std::span<const std::byte> key, std::span<const std::byte> message);

}  // namespace bothy
