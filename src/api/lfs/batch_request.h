// What a client of LFS asks for: which objects, to send or to fetch, and in which ways it can.
// https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md; "multipart" and "xet" are huggingface_hub's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bothy::api {

struct LfsObject {
  std::string oid;
  uint64_t size = 0;
};

enum class LfsTransfer { kBasic, kMultipart, kXet };
std::string_view LfsTransferName(LfsTransfer transfer);

// In one piece below: a part is written to the disk twice. In parts above: what was cut has not to be sent again.
inline constexpr uint64_t kLfsMultipartFrom = uint64_t{1} << 30;

struct LfsBatch {
  static constexpr size_t kMaxObjects = 1000;  // git-lfs asks for 100 at once, huggingface_hub for 256

  bool upload = false;
  LfsTransfer transfer = LfsTransfer::kBasic;  // of all of its objects: an answer can name only one
  std::string revision = "main";               // that Xet's tokens are asked for
  std::string hash = "sha256";                 // that objects are named by
  std::vector<LfsObject> objects;              // their names are not checked
};

// kInvalidArgument for what is no such request, kResourceExhausted for too many objects.
Result<LfsBatch> ReadLfsBatch(std::string_view body);

}  // namespace bothy::api
