// What the routes' answers share: the errors that the Hugging Face clients tell apart, JSON, times.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "hub/clock.h"
#include "hub/rights.h"
#include "net/response.h"

namespace bothy::api {

// Values of X-Error-Code, by which clients raise an exception of their own.
inline constexpr std::string_view kRepoNotFound = "RepoNotFound", kRevisionNotFound = "RevisionNotFound",
                                  kEntryNotFound = "EntryNotFound", kGatedRepo = "GatedRepo";

// {"error": message}, with X-Error-Code where `code` is not empty, and X-Error-Message.
net::Response Refuse(net::Status status, std::string_view code, std::string_view message);
// The error as it is; what was not found gets `code`.
net::Response Refuse(const Error& error, std::string_view code);

// Why not, to who has not the right on a repository (or, without `name`, on anything else). `url` is its address; of a
// mirror that of its original.
net::Response Refuse(Verdict verdict, std::string_view name, std::string_view url);

net::Response Json(const json::value& value, net::Status status = net::Status::kOk);

// "2026-11-27T19:20:01.000Z"
std::string FormatTime(Timestamp time);
inline std::string FormatTime(int64_t seconds) { return FormatTime(Timestamp(std::chrono::seconds(seconds))); }

// The body of a request as an object; kInvalidArgument where it is none. Nothing is an empty one.
Result<json::object> ParseObject(std::string_view body);

// Members of it; those that are missing, and null, are nothing, those of another type kInvalidArgument.
Result<std::string> NeedString(const json::object& from, std::string_view key);
Result<std::optional<std::string>> FindString(const json::object& from, std::string_view key);
Result<std::optional<bool>> FindBool(const json::object& from, std::string_view key);
Result<std::vector<std::string>> FindStrings(const json::object& from, std::string_view key);

}  // namespace bothy::api

// The value of a Result; its error ends the handler, with a code where it is that something was not found:
//
//   const git::Oid commit = OR_REFUSE(kRevisionNotFound, files.Resolve(revision));
#define OR_REFUSE(code, ...)                                   \
  ({                                                           \
    auto&& bothy_result = (__VA_ARGS__);                       \
    if (!bothy_result) [[unlikely]]                            \
      return ::bothy::api::Refuse(bothy_result.error(), code); \
    ::bothy::internal::TakeValue(std::move(bothy_result));     \
  })
