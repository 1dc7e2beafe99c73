// Secrets: random ones, comparing them without telling how much was right, and passwords as they are stored (argon2id).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace bothy {

// From the system's generator, which cannot fail once it has started.
void FillRandom(std::span<std::byte> out);

// `length` characters of A-Z, a-z and 0-9, each as likely as any other: 5.95 bits a character, so that 34 (what follows
// hf_ in an access token) hold 202 bits.
std::string RandomAlphanumeric(size_t length);

// Takes as long for bytes that differ at once as for those that differ in the end. Lengths are no secret.
bool SecretsEqual(std::span<const std::byte> a, std::span<const std::byte> b);
bool SecretsEqual(std::string_view a, std::string_view b);

// What one guess costs. The defaults are RFC 9106's second recommendation, 64 MiB and three passes, on one lane: a
// tenth of a second on a core.
struct PasswordCost {
  uint64_t passes = 3;
  size_t memory_bytes = size_t{64} << 20;
};

// Longer ones are kInvalidArgument: nobody types them, and hashing them would cost the server.
inline constexpr size_t kMaxPasswordBytes = 1024;

// The text to store: "$argon2id$v=19$m=65536,t=3,p=1$salt$hash", with a salt of its own.
// kResourceExhausted where the memory is not to be had.
Result<std::string> HashPassword(std::string_view password, const PasswordCost& cost = {});

// Whether `password` is the one that `stored` was made of; false too where `stored` is no such text. Costs what
// `stored` says, so `stored` must come from HashPassword.
bool PasswordMatches(std::string_view password, const std::string& stored);

// Whether `stored` was made with another cost than this one and should be made anew at the next login.
bool PasswordNeedsRehash(const std::string& stored, const PasswordCost& cost = {});

}  // namespace bothy
