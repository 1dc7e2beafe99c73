#include "hub/signatures.h"

#include <charconv>
#include <cstring>

#include "base/base64.h"
#include "base/hex.h"
#include "crypto/secrets.h"
#include "crypto/sha.h"

namespace bothy {

Result<Signatures> Signatures::Load(Database& database, Clock clock) {
  Key fresh;
  FillRandom(fresh);
  const std::string stored = TRY(database.Write([&](Transaction& t) -> Result<std::string> {
    TRY(t.Execute("INSERT INTO meta (name, value) VALUES ('signing_key', $1) ON CONFLICT (name) DO NOTHING",
                  EncodeHex(fresh)));
    return *TRY(t.QueryOne<std::string>("SELECT value FROM meta WHERE name = 'signing_key'"));
  }));
  Key key;
  if (!DecodeHex(stored, key)) {
    return Fail(ErrorCode::kCorrupt, "{}: the signing key is not 64 hexadecimal digits", database.name());
  }
  return Signatures(key, std::move(clock));
}

std::string Signatures::Signature(std::string_view purpose, std::string_view text) const {
  // The length keeps "a" + "bc" from being "ab" + "c".
  std::string message = std::to_string(purpose.size()) + ":";
  message.append(purpose).append(text);
  return EncodeBase64Url(HmacSha256(key_, std::as_bytes(std::span(message))));
}

std::string Signatures::Sign(std::string_view purpose, std::string_view text, Timestamp expires) const {
  std::string dated = std::string(text) + "." +
                      std::to_string(std::chrono::floor<std::chrono::seconds>(expires).time_since_epoch().count());
  return dated + "." + Signature(purpose, dated);
}

std::optional<std::string> Signatures::Open(std::string_view purpose, std::string_view signed_text) const {
  const size_t end = signed_text.rfind('.');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view dated = signed_text.substr(0, end);
  if (!SecretsEqual(Signature(purpose, dated), signed_text.substr(end + 1))) return std::nullopt;
  const size_t dot = dated.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  int64_t seconds = 0;
  std::from_chars(dated.data() + dot + 1, dated.data() + dated.size(), seconds);
  if (clock_() >= Timestamp(std::chrono::seconds(seconds))) return std::nullopt;
  return std::string(dated.substr(0, dot));
}

}  // namespace bothy
