// What a handler returns:
//
//   Task<Response> Handle(Request& request) {
//     auto name = co_await ReadAll(*request.body, kMaxName);
//     if (!name) co_return Response::FromError(name.error());
//     co_return Response::Json(Status::kOk, Greet(*name));
//   }
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/body.h"
#include "net/file_slice.h"
#include "net/headers.h"
#include "net/request.h"
#include "net/status.h"

namespace bothy::net {

// Writes the stream of server-sent events of one response (HTML standard, 9.2).
class EventWriter {
 public:
  explicit EventWriter(BodyWriter& body) : body_(body) {}

  // `data` may have several lines. `event` and `id` are left out where they are empty.
  Task<Result<void>> Send(std::string_view data, std::string_view event = "", std::string_view id = "");

  // A line that clients skip: keeps proxies from closing a stream on which nothing happens.
  Task<Result<void>> KeepAlive();

 private:
  BodyWriter& body_;
};

class Response {
 public:
  // Writes the body; the response's head is sent before. An error ends the connection, so that no client takes what it
  // has for the whole. The function (and what it captures) lives until it is done.
  using WriteFunction = std::function<Task<Result<void>>(BodyWriter& body)>;
  using EventFunction = std::function<Task<Result<void>>(EventWriter& events)>;

  struct Streamed {
    std::optional<uint64_t> length;  // known: Content-Length, and exactly that must be written; else chunked
    WriteFunction write;
  };

  explicit Response(Status code = Status::kNoContent) : status(code) {}
  static Response Text(Status status, std::string text);
  static Response Json(Status status, std::string json);
  static Response Bytes(Status status, std::string_view media_type, std::string bytes);
  static Response Files(Status status, std::string_view media_type, std::vector<FileSlice> slices);
  static Response Stream(Status status, std::string_view media_type, WriteFunction write,
                         std::optional<uint64_t> length = std::nullopt);
  static Response Events(EventFunction write);
  static Response Redirect(Status status, std::string_view location);

  // {"error": message} with the error's status, and the headers that the hub's clients read (X-Error-Message). What is
  // internal is not told.
  static Response FromError(const Error& error);

  // The same with a status of its own.
  static Response FromError(Status status, std::string_view message);

  Response&& With(std::string_view name, std::string_view value) && {
    headers.Set(name, value);
    return std::move(*this);
  }

  Status status;
  Headers headers;
  std::variant<std::string, std::vector<FileSlice>, Streamed> body;
};

// A representation that may be asked for in part and under conditions.
struct Content {
  std::string_view media_type;
  Validators validators;
  std::vector<FileSlice> slices;
};

// Answers GET and HEAD of `content`: 200, 206, 304, 412 or 416, with ETag, Last-Modified, Accept-Ranges, Content-Range.
Response ServeContent(const Request& request, const Content& content);

// The same for content that is put together while it is sent, such as one of more files than should be open at once:
// `part` gives the function that writes exactly a range of it.
struct WrittenContent {
  std::string_view media_type;
  Validators validators;
  uint64_t size = 0;
  std::function<Response::WriteFunction(ByteRange range)> part;
};
Response ServeContent(const Request& request, const WrittenContent& content);

// A text as a JSON string, with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string QuoteJson(std::string_view text);

}  // namespace bothy::net
