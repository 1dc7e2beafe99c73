// Which hub is spoken to, and as whom: what the environment of Python's clients says (huggingface_hub 2.4,
// constants.py and utils/_auth.py).
#pragma once

#include <string>

#include "client/hub_cache.h"

namespace bothy::client {

struct Endpoint {
  std::string address = "https://huggingface.co";  // no slash at the end
  std::string token;                               // empty: nobody
  bool offline = false;                            // no network, whatever there is
  bool xet = true;                                 // use it where the hub offers it

  // HF_ENDPOINT; HF_TOKEN, HUGGING_FACE_HUB_TOKEN or the file that `hf auth login` writes (HF_TOKEN_PATH, or "token" in
  // HuggingFaceHome), unless HF_HUB_DISABLE_IMPLICIT_TOKEN is set; HF_HUB_OFFLINE; HF_HUB_DISABLE_XET. kInvalidArgument
  // for an address that is none.
  static Result<Endpoint> FromEnvironment(const Environment& environment);

  // A hub's address, and a file with the token for it where one is named. kInvalidArgument as above.
  static Result<Endpoint> Of(std::string_view address, const std::filesystem::path& token_file);
};

}  // namespace bothy::client
