// Who asks: nobody, or a user who showed a password (a session) or a token. What they may do is decided in rights.h.
#pragma once

#include <cstdint>
#include <string>

#include "hub/token_scopes.h"

namespace bothy {

enum class TokenRole { kRead, kWrite, kFineGrained };

struct Actor {
  enum class Credential {
    kNone,     // nobody
    kSession,  // the web, after a login with the password
    kToken,
  };

  Credential credential = Credential::kNone;
  int64_t user_id = 0;  // of the namespace with the user's name; 0 is nobody
  std::string name;
  bool administrator = false;  // of the whole installation
  int64_t token_id = 0;        // with kToken only, as what follows
  TokenRole token_role = TokenRole::kRead;
  TokenScopes scopes;  // of a fine-grained token

  bool IsNobody() const { return credential == Credential::kNone; }
  bool IsFineGrained() const { return credential == Credential::kToken && token_role == TokenRole::kFineGrained; }
};

}  // namespace bothy
