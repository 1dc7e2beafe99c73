// The hub as a whole: its folder of data, and everything in it that users can reach. A server has one, and the commands
// of the administrator open another beside it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "hub/accounts.h"
#include "hub/device_login.h"
#include "hub/organizations.h"
#include "hub/repositories.h"
#include "hub/sessions.h"
#include "hub/signatures.h"
#include "hub/stored_content.h"
#include "hub/tokens.h"

namespace bothy {

struct HubOptions {
  std::filesystem::path data;  // made where it is missing
  std::string database;        // its address; empty: bothy.db in the folder of data
  Clock clock = SystemTime;
};

class Hub {
 public:
  // Brings the tables up to date. Does not look after what a crash has left: that is Recover's, for a server.
  static Result<std::unique_ptr<Hub>> Open(const HubOptions& options);
  Hub(const Hub&) = delete;

  Database& database() { return *database_; }
  BlobStore& blobs() { return *blobs_; }
  content::ContentStore& content() { return content_; }
  const LargeContent& large_content() const { return large_content_; }
  Accounts& accounts() { return accounts_; }
  Organizations& organizations() { return organizations_; }
  Tokens& tokens() { return tokens_; }
  Sessions& sessions() { return sessions_; }
  DeviceLogins& device_logins() { return device_logins_; }
  Repositories& repositories() { return repositories_; }
  const Signatures& signatures() const { return signatures_; }
  const std::filesystem::path& data() const { return data_; }
  Timestamp now() const { return clock_(); }
  const Clock& clock() const { return clock_; }

 private:
  Hub(const HubOptions& options, std::unique_ptr<Database> database, std::unique_ptr<BlobStore> blobs,
      Signatures signatures);

  const std::filesystem::path data_;
  const Clock clock_;
  const std::unique_ptr<Database> database_;
  const std::unique_ptr<BlobStore> blobs_;
  content::ContentStore content_;
  StoredContent large_content_;
  Accounts accounts_;
  Organizations organizations_;
  Tokens tokens_;
  Sessions sessions_;
  DeviceLogins device_logins_;
  Repositories repositories_;
  Signatures signatures_;
};

}  // namespace bothy
