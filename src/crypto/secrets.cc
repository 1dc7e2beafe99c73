#include "crypto/secrets.h"

#include <sodium.h>

namespace bothy {
namespace {

// Chooses the generator and the fastest code; any thread may be first.
void Start() {
  static const int started = sodium_init();
  CHECK(started >= 0);
}

}  // namespace

void FillRandom(std::span<std::byte> out) {
  Start();
  randombytes_buf(out.data(), out.size());
}

std::string RandomAlphanumeric(size_t length) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  Start();
  std::string text(length, '\0');
  for (char& c : text) c = kAlphabet[randombytes_uniform(kAlphabet.size())];
  return text;
}

bool SecretsEqual(std::span<const std::byte> a, std::span<const std::byte> b) {
  Start();
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool SecretsEqual(std::string_view a, std::string_view b) {
  return SecretsEqual(std::as_bytes(std::span(a)), std::as_bytes(std::span(b)));
}

Result<std::string> HashPassword(std::string_view password, const PasswordCost& cost) {
  Start();
  if (password.size() > kMaxPasswordBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a password has at most {} bytes, this has {}", kMaxPasswordBytes,
                password.size());
  }
  char stored[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(stored, password.data(), password.size(), cost.passes, cost.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return Fail(ErrorCode::kResourceExhausted, "hashing a password needs {} bytes of memory, which are not to be had",
                cost.memory_bytes);
  }
  return std::string(stored);
}

bool PasswordMatches(std::string_view password, const std::string& stored) {
  Start();
  // Only argon2id: libsodium would also accept what its older functions made.
  if (password.size() > kMaxPasswordBytes || !stored.starts_with("$argon2id$")) return false;
  return crypto_pwhash_str_verify(stored.c_str(), password.data(), password.size()) == 0;
}

bool PasswordNeedsRehash(const std::string& stored, const PasswordCost& cost) {
  Start();
  return crypto_pwhash_str_needs_rehash(stored.c_str(), cost.passes, cost.memory_bytes) != 0;
}

}  // namespace bothy
