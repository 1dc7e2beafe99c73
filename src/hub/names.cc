#include "hub/names.h"

#include <algorithm>

namespace bothy {
namespace {

// First segments of addresses, now or on the hub whose clients and links must work here.
constexpr std::string_view kReserved =
    " about access account admin api apps assets auth avatars blog brand buckets chat classroom cli collections "
    "dashboard datasets datasets-server device discussions docs download email engine events explore favicon.ico "
    "front health help hub images index.html infer inference info invocations jobs join kernels learn lfs login "
    "logout me metrics models new new-dataset new-model new-space notifications oauth openapi.json organizations "
    "papers posts resolve robots.txt search settings signup sitemap.xml spaces static storage studio support "
    "tasks trending user users v1 v2 webhooks welcome xet ";

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool MayBegin(char c) { return IsLetterOrDigit(c) || c == '_'; }

}  // namespace

std::string NameKey(std::string_view name) {
  std::string key(name);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

Result<void> CheckRepositoryName(std::string_view name) {
  if (name.empty()) return Fail(ErrorCode::kInvalidArgument, "a name is empty");
  if (name.size() > kMaxNameLength) {
    return Fail(ErrorCode::kInvalidArgument, "a name has at most {} characters, this has {}", kMaxNameLength,
                name.size());
  }
  if (!std::ranges::all_of(name, [](char c) { return MayBegin(c) || c == '-' || c == '.'; })) {
    return Fail(ErrorCode::kInvalidArgument, "a name is made of letters, digits, \"_\", \"-\" and \".\" only");
  }
  if (!MayBegin(name.front()) || !MayBegin(name.back())) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\": a name neither begins nor ends with \"-\" or \".\"", name);
  }
  for (const std::string_view pair : {"--", ".."}) {
    if (name.find(pair) != std::string_view::npos) {
      return Fail(ErrorCode::kInvalidArgument, "\"{}\": a name does not hold \"{}\"", name, pair);
    }
  }
  if (NameKey(name).ends_with(".git")) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\": a name does not end with \".git\"", name);
  }
  return {};
}

Result<void> CheckNamespaceName(std::string_view name) {
  TRY(CheckRepositoryName(name));
  if (kReserved.find(fmt::format(" {} ", NameKey(name))) != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "\"{}\" is reserved: addresses of the hub begin with it", name);
  }
  return {};
}

}  // namespace bothy
