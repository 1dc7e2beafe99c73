#include "client/endpoint.h"

#include <algorithm>

#include "base/byte_source.h"
#include "client/file_choice.h"

namespace bothy::client {
namespace {

constexpr uint64_t kMaxTokenFile = 64 << 10;

std::string ValueOf(const Environment& environment, const char* variable) {
  const char* value = environment(variable);
  return value == nullptr ? "" : value;
}

// What Python's clients take for yes.
bool IsSet(const Environment& environment, const char* variable) {
  const std::string value = Lower(ValueOf(environment, variable));
  return value == "1" || value == "on" || value == "yes" || value == "true";
}

std::string Trimmed(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

Result<std::string> FindToken(const Environment& environment) {
  for (const char* variable : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    if (const std::string value = ValueOf(environment, variable); !value.empty()) return Trimmed(value);
  }
  const auto path = PathOfVariable(environment, "HF_TOKEN_PATH").value_or(HuggingFaceHome(environment) / "token");
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return "";
  return Trimmed(TRY(TRY(OpenFile(path))->ReadAll(kMaxTokenFile)));
}

Result<std::string> ParseAddress(std::string address) {
  while (address.ends_with('/')) address.pop_back();
  if ((address.starts_with("http://") || address.starts_with("https://")) &&
      address.find_first_of(" ?#") == std::string::npos) {
    return address;
  }
  return Fail(ErrorCode::kInvalidArgument, "expected an address like https://hub.example, found \"{}\"", address);
}

}  // namespace

Result<Endpoint> Endpoint::Of(std::string_view address, const std::filesystem::path& token_file) {
  Endpoint endpoint;
  endpoint.address = TRY(ParseAddress(Trimmed(std::string(address))));
  if (!token_file.empty()) endpoint.token = Trimmed(TRY(TRY(OpenFile(token_file))->ReadAll(kMaxTokenFile)));
  return endpoint;
}

Result<Endpoint> Endpoint::FromEnvironment(const Environment& environment) {
  Endpoint endpoint;
  if (const std::string address = Trimmed(ValueOf(environment, "HF_ENDPOINT")); !address.empty()) {
    endpoint.address = TRY_CONTEXT("HF_ENDPOINT", ParseAddress(address));
  }
  if (!IsSet(environment, "HF_HUB_DISABLE_IMPLICIT_TOKEN")) endpoint.token = TRY(FindToken(environment));
  endpoint.offline = IsSet(environment, "HF_HUB_OFFLINE") || IsSet(environment, "TRANSFORMERS_OFFLINE");
  endpoint.xet = !IsSet(environment, "HF_HUB_DISABLE_XET");
  return endpoint;
}

}  // namespace bothy::client
