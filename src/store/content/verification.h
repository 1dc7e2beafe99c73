// What is found wrong in a content store, and what was done about it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/digest.h"

namespace bothy::content {

enum class ProblemKind {
  kDamagedXorb,        // its blob or its chunk list is not what it should be. Repair: it is given out no longer, and
                       // is whole again when somebody sends it; where no file needs it, it is removed
  kDamagedFile,        // needs a damaged xorb, or is not what its hash says. Only sending it again repairs it
  kHealedXorb,         // was found damaged before, and is whole. Repair: it is given out again
  kUnfinishedRemoval,  // somebody was killed while removing it. Repair: it is removed
  kUnknownBlob,        // no row names it: somebody was killed while sending it. Repair: it is removed
  kLeftRows,           // of a collection that was killed, or hints to what is gone. Repair: they are removed
};
std::string_view ProblemKindName(ProblemKind kind);  // damaged_xorb, ...

struct Problem {
  ProblemKind kind = ProblemKind::kDamagedXorb;
  std::string message;                // one line: which, what was expected, what was found
  std::optional<Digest256> sha256{};  // of a damaged file
  bool repaired = false;
};

struct VerifyOptions {
  bool repair = false;
  // Without, blobs are not read: only that they are there and how large they are.
  bool read_blobs = true;
  // Also the SHA-256 of every file, for which each is read by itself, however much it shares with others. Without, all
  // blobs are read once, and files are checked by the hashes of their chunks.
  bool read_files = false;
  // A blob that no row names may belong to somebody who is about to write the row.
  std::chrono::seconds unknown_blob_age = std::chrono::hours(24);
  // Bytes of blobs that were read, of all. False gives up.
  std::function<bool(uint64_t done, uint64_t total)> progress{};
};

struct Verified {
  uint64_t xorbs = 0, files = 0, bytes = 0;
  uint64_t problems = 0, repaired = 0;
};

}  // namespace bothy::content
