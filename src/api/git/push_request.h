// What a git push begins with: the refs that it wants moved, and how it wants to be answered (gitprotocol-pack,
// "Reference Update Request"). The pack follows behind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/pushes.h"

namespace bothy::api {

struct PushRequest {
  std::vector<RefUpdate> updates;
  bool report = false;     // report-status, or its second version, whose additions we have no use for
  bool side_band = false;  // side-band-64k
  bool atomic = false;

  // Whether a pack follows: not where refs are only deleted.
  bool BringsPack() const;
};

// Takes it in pieces of any size. For one thread at a time.
class PushRequestReader {
 public:
  static constexpr size_t kMaxUpdates = 10'000;
  static constexpr size_t kMaxLines = 2 * kMaxUpdates;  // with those of a shallow clone about its edge
  static constexpr size_t kMaxRefBytes = 1024;          // of a name; no file's name can be as long

  // How much of `bytes` belongs to the request; less than all of it once it is done. kCorrupt, kResourceExhausted.
  Result<size_t> Add(std::string_view bytes);
  bool done() const { return done_; }

  PushRequest Take() { return std::move(request_); }

 private:
  Result<void> TakeLine(std::string_view line);
  Result<void> TakeUpdate(std::string_view line);
  void TakeCapabilities(std::string_view list);

  PushRequest request_;
  std::string pending_;  // a packet that has not come whole
  size_t lines_ = 0;
  bool done_ = false;
};

// What is sent back: what became of the pack and of each ref, and lines for the terminal of who has pushed.
struct PushReport {
  struct Ref {
    std::string name;
    std::string refusal;  // one line; empty: it was moved
  };

  std::string unpack = "ok";  // or why the pack was not taken
  std::vector<Ref> refs;
  std::vector<std::string> messages;
};

std::string WritePushReport(const PushRequest& request, const PushReport& report);

}  // namespace bothy::api
