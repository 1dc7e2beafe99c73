#include "hub/hub.h"

#include "store/blobs/local_blob_store.h"

namespace bothy {

Hub::Hub(const HubOptions& options, std::unique_ptr<Database> database, std::unique_ptr<BlobStore> blobs,
         Signatures signatures)
    : data_(options.data),
      clock_(options.clock),
      database_(std::move(database)),
      blobs_(std::move(blobs)),
      content_(*database_, *blobs_, {.now = options.clock}),
      large_content_(content_),
      accounts_(*database_, clock_),
      organizations_(*database_, clock_),
      tokens_(*database_, clock_),
      sessions_(*database_, clock_),
      device_logins_(*database_, clock_),
      repositories_(*database_, data_ / "git", clock_),
      signatures_(std::move(signatures)) {}

Result<std::unique_ptr<Hub>> Hub::Open(const HubOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.data, error);
  if (error) {
    return Fail(ErrorCode::kInvalidArgument, "{}: the folder of data cannot be made: {}", options.data.string(),
                error.message());
  }
  // What is in it is private: passwords' hashes, private repositories.
  std::filesystem::permissions(options.data, std::filesystem::perms::owner_all, error);
  auto database = TRY(
      Database::Open(options.database.empty() ? "sqlite:" + (options.data / "bothy.db").string() : options.database));
  auto blobs = TRY(OpenLocalBlobStore(options.data / "blobs"));
  auto signatures = TRY(Signatures::Load(*database, options.clock));
  return std::unique_ptr<Hub>(new Hub(options, std::move(database), std::move(blobs), std::move(signatures)));
}

}  // namespace bothy
