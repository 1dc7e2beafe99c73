#include "net/response.h"

#include <fmt/format.h>

#include "base/log.h"
#include "net/date.h"

namespace bothy::net {
namespace {

// The length of the UTF-8 character at the front of `text`; 0 where there is none.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xc2 && lead < 0xe0 ? 2
                        : lead >= 0xe0 && lead < 0xf0 ? 3
                        : lead >= 0xf0 && lead < 0xf5 ? 4
                                                      : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (length > 2) {  // overlong forms, surrogates, past the last plane
    const unsigned char second = byte(1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0) || (lead == 0xf0 && second < 0x90) ||
        (lead == 0xf4 && second >= 0x90)) {
      return 0;
    }
  }
  return length;
}

// One event's field, repeated for each line of the value.
void AppendField(std::string& text, std::string_view name, std::string_view value) {
  for (;;) {
    const size_t end = std::min(value.find_first_of("\r\n"), value.size());
    text.append(name).append(": ").append(value.substr(0, end)).append("\n");
    if (end == value.size()) return;
    value.remove_prefix(end + (value.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

// Decides what a request gets of a representation of `size` bytes; `respond` makes the response for a range of it.
template <class Respond>
Response ServeRange(const Request& request, const Validators& validators, uint64_t size, const Respond& respond) {
  const auto with_validators = [&](Response response) {
    if (!validators.etag.empty()) response.headers.Set("ETag", validators.etag);
    if (validators.last_modified) response.headers.Set("Last-Modified", FormatHttpDate(*validators.last_modified));
    response.headers.Set("Accept-Ranges", "bytes");
    return response;
  };
  switch (EvaluatePreconditions(request.method, request.headers, validators)) {
    case Precondition::kProceed: break;
    case Precondition::kNotModified: return with_validators(Response(Status::kNotModified));
    case Precondition::kFailed: return Response::FromError(Status::kPreconditionFailed, "the content has changed");
  }
  // HEAD answers as the GET of the whole would.
  const auto selection =
      request.method == Method::kGet ? SelectRange(request.headers, validators, size) : RangeSelection{};
  switch (selection.kind) {
    case RangeSelection::kWhole: return with_validators(respond(Status::kOk, ByteRange{0, size}));
    case RangeSelection::kPart:
      return with_validators(respond(Status::kPartialContent, selection.part))
          .With("Content-Range", ContentRange(selection.part, size));
    case RangeSelection::kUnsatisfiable: break;
  }
  return with_validators(Response::FromError(Status::kRangeNotSatisfiable, "the range lies past the end"))
      .With("Content-Range", UnsatisfiableContentRange(size));
}

}  // namespace

Task<Result<void>> EventWriter::Send(std::string_view data, std::string_view event, std::string_view id) {
  std::string text;
  if (!event.empty()) AppendField(text, "event", event.substr(0, event.find_first_of("\r\n")));
  if (!id.empty()) AppendField(text, "id", id.substr(0, id.find_first_of("\r\n")));
  AppendField(text, "data", data);
  text += '\n';
  co_return co_await body_.Write(AsBytes(text));
}

Task<Result<void>> EventWriter::KeepAlive() { co_return co_await body_.Write(AsBytes(": keep-alive\n\n")); }

Response Response::Bytes(Status status, std::string_view media_type, std::string bytes) {
  Response response(status);
  response.headers.Add("Content-Type", media_type);
  response.body = std::move(bytes);
  return response;
}

Response Response::Text(Status status, std::string text) {
  return Bytes(status, "text/plain; charset=utf-8", std::move(text));
}

Response Response::Json(Status status, std::string json) {
  return Bytes(status, "application/json; charset=utf-8", std::move(json));
}

Response Response::Files(Status status, std::string_view media_type, std::vector<FileSlice> slices) {
  Response response(status);
  response.headers.Add("Content-Type", media_type);
  response.body = std::move(slices);
  return response;
}

Response Response::Stream(Status status, std::string_view media_type, WriteFunction write,
                          std::optional<uint64_t> length) {
  Response response(status);
  response.headers.Add("Content-Type", media_type);
  response.body = Streamed{length, std::move(write)};
  return response;
}

Response Response::Events(EventFunction write) {
  auto response =
      Stream(Status::kOk, "text/event-stream", [write = std::move(write)](BodyWriter& body) -> Task<Result<void>> {
        EventWriter events(body);
        co_return co_await write(events);
      });
  response.headers.Add("Cache-Control", "no-cache");
  response.headers.Add("X-Accel-Buffering", "no");  // nginx would hold events back otherwise
  return response;
}

Response Response::Redirect(Status status, std::string_view location) {
  return Response(status).With("Location", location);
}

Response Response::FromError(const Error& error) {
  const Status status = StatusOf(error.code);
  if (status != Status::kInternalServerError) return FromError(status, error.message);
  // Clients learn nothing of the inside; the operator has to.
  Log(LogLevel::kError, "internal_error", {{"error", error}});
  return FromError(status, "internal error");
}

Response Response::FromError(Status status, std::string_view message) {
  return Json(status, fmt::format("{{\"error\":{}}}", QuoteJson(message))).With("X-Error-Message", message);
}

Response ServeContent(const Request& request, const Content& content) {
  const uint64_t size = TotalLength(content.slices);
  return ServeRange(request, content.validators, size, [&](Status status, ByteRange range) {
    return Response::Files(status, content.media_type,
                           range.length == size ? content.slices : CutSlices(content.slices, range));
  });
}

Response ServeContent(const Request& request, const WrittenContent& content) {
  return ServeRange(request, content.validators, content.size, [&](Status status, ByteRange range) {
    return Response::Stream(status, content.media_type, content.part(range), range.length);
  });
}

std::string QuoteJson(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const char c = text.front();
    const size_t length = CharacterLength(text);
    if (length == 0) {
      quoted += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c >= 0 && c < ' ') {
      quoted += fmt::format("\\u{:04x}", c);
    } else {
      quoted += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(1, length));
  }
  return quoted + '"';
}

}  // namespace bothy::net
