// What HTML forms and clients like curl send: application/x-www-form-urlencoded, whole, and multipart/form-data (RFC
// 7578), part by part as it arrives.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/body.h"
#include "net/headers.h"
#include "net/request.h"

namespace bothy::net {

// The fields of an urlencoded form. kInvalidArgument for another content type or malformed escapes, kResourceExhausted
// past `limit` bytes.
Task<Result<QueryParameters>> ReadForm(Request& request, size_t limit);

struct MultipartLimits {
  static constexpr size_t kMaxParts = 1000;
  static constexpr size_t kMaxHeadBytes = 8 << 10;  // of one part
  static constexpr size_t kMaxFields = 20;

  size_t parts = kMaxParts;
  size_t head_bytes = kMaxHeadBytes;
  size_t fields = kMaxFields;
};

struct Part {
  std::string name;
  std::optional<std::string> filename;  // as it was sent: a name to show, never a path to write to
  std::string content_type = "text/plain";
};

// Reads a multipart body:
//
//   auto reader = MultipartReader::Create(*request.body, request.headers.Find("Content-Type").value_or(""));
//   while (part) { NextPart, then Read until 0 }
//
// Errors: kInvalidArgument for what is malformed, kResourceExhausted for what is too much; then nothing more can be
// read.
class MultipartReader final : public BodyReader {
 public:
  // `body` must outlive the reader. kInvalidArgument where the content type is no multipart/form-data with a boundary.
  static Result<MultipartReader> Create(BodyReader& body, std::string_view content_type,
                                        const MultipartLimits& limits = {});

  // Skips what is left of the part before. Nothing after the last.
  Task<Result<std::optional<Part>>> NextPart();

  // The content of the part; 0 is its end.
  Task<Result<size_t>> Read(std::span<std::byte> out) override;

 private:
  MultipartReader(BodyReader& body, std::string boundary, const MultipartLimits& limits)
      : body_(&body), delimiter_("\r\n--" + boundary), limits_(limits) {}
  Task<Result<void>> Fill();
  Task<Result<bool>> AfterDelimiter();
  Result<Part> ParsePart(std::string_view head) const;

  BodyReader* body_;
  std::string delimiter_;  // what ends a part: line end, "--", boundary
  MultipartLimits limits_;
  std::string buffer_ = "\r\n";  // so that the first delimiter is found like the others
  size_t start_ = 0;
  size_t parts_ = 0;
  bool in_part_ = true;  // the preamble is skipped like a part
  bool done_ = false;
};

}  // namespace bothy::net
