// Getting a range of a file's content from a hub: what both ways of it, plain HTTP and Xet, have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "client/hub_api.h"

namespace bothy::client {

// Takes the bytes of a range, of which those by Xet may come in another order.
class RangeSink {
 public:
  virtual ~RangeSink() = default;
  virtual Result<void> Write(uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual Result<void> Reached(uint64_t offset) = 0;  // what of the range comes before it has been written
};

inline constexpr size_t kFetchBuffer = 256 << 10;

// A file of a commit on a hub.
struct RemoteContent {
  const HubName& name;
  const std::string& commit;
  const RemoteFile& file;
};

// A content that is had by plain HTTP.
struct RangeSource {
  std::string name;  // for messages
  uint64_t size = 0;
  // Asks for bytes [begin, end): 206, or 200 with all of it; any other answer is an error.
  std::function<Result<net::ClientResponse>(uint64_t begin, uint64_t end)> open;
};

// Bytes [begin, end) in one try: what `sink` has reached when it fails need not be asked for again. A server that gives
// no parts sends all of the content: then, unless `takes_parts` is null, the sink gets everything from `begin` to the
// end. Otherwise takes_parts is called, once it is known that the server does give parts.
Result<void> FetchRange(const RangeSource& source, uint64_t begin, uint64_t end, RangeSink& sink,
                        const std::function<void()>& takes_parts);

// The same of a file of a commit.
Result<void> FetchPlain(HubApi& api, const RemoteContent& content, uint64_t begin, uint64_t end, RangeSink& sink,
                        Retries& retries, const std::function<void()>& takes_parts);

}  // namespace bothy::client
