// Short texts that the hub gives out and believes when they come back: addresses that need no login, tokens of its own
// services. Signed with a key of this installation, each for one purpose and until a time.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "hub/clock.h"
#include "store/database/database.h"

namespace bothy {

class Signatures {  // Safe to use from several threads.
 public:
  // The key is made where the database has none.
  static Result<Signatures> Load(Database& database, Clock clock);

  // `text` until `expires`, for `purpose`: "TEXT.UNIX-SECONDS.SIGNATURE", of characters that addresses may have where
  // `text` is.
  std::string Sign(std::string_view purpose, std::string_view text, Timestamp expires) const;

  // The text; nothing where it was not signed here for this purpose, or is too old.
  std::optional<std::string> Open(std::string_view purpose, std::string_view signed_text) const;

 private:
  using Key = std::array<std::byte, 32>;
  Signatures(const Key& key, Clock clock) : key_(key), clock_(std::move(clock)) {}
  std::string Signature(std::string_view purpose, std::string_view text) const;

  Key key_;
  Clock clock_;
};

}  // namespace bothy
