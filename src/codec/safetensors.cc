#include "codec/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include "codec/byte_reader.h"

namespace bothy {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";

// Follows the header event by event: a document tree would not show that a key is there twice, and would take several
// times the header's memory.
class HeaderHandler {
 public:
  static constexpr size_t max_object_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_array_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_key_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_string_size = std::numeric_limits<size_t>::max();
  using Code = boost::json::error_code;

  std::vector<ArrayInfo> arrays;  // offsets relative to the end of the header
  SafetensorsMetadata metadata;
  std::optional<Error> error;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }

  bool on_object_begin(Code& code) {
    switch (place_) {
      case Place::kOutside: place_ = Place::kTop; return true;
      case Place::kTop:
        place_ = key_ == kMetadataKey ? Place::kMetadata : Place::kArray;
        if (place_ == Place::kArray) {
          arrays.emplace_back().name = key_;
          fields_ = 0;
        }
        return true;
      default: return Nested(code, "an object");
    }
  }

  bool on_object_end(size_t, Code& code) {
    switch (place_) {
      case Place::kTop: place_ = Place::kOutside; return true;
      case Place::kMetadata: place_ = Place::kTop; return true;
      case Place::kArray:
        place_ = Place::kTop;
        return fields_ == (kDType | kShape | kOffsets) ||
               Refuse(code, "\"dtype\", \"shape\" and \"data_offsets\"", "less");
      default: return Unnested();
    }
  }

  bool on_array_begin(Code& code) {
    if (place_ == Place::kArray && field_ == kShape) {
      place_ = Place::kShape;
      return true;
    }
    if (place_ == Place::kArray && field_ == kOffsets) {
      place_ = Place::kOffsets;
      return true;
    }
    return Nested(code, "an array");
  }

  bool on_array_end(size_t, Code& code) {
    if (place_ == Place::kIgnored) return Unnested();
    const bool whole = place_ != Place::kOffsets || offsets_ == 2;
    place_ = Place::kArray;
    return whole || Refuse(code, "two data_offsets", std::to_string(offsets_));
  }

  bool on_key_part(std::string_view part, size_t, Code&) {
    key_part_ += part;
    return true;
  }

  bool on_key(std::string_view part, size_t, Code& code) {
    key_part_ += part;
    std::string key;
    key.swap(key_part_);
    if (place_ == Place::kTop || place_ == Place::kMetadata) {
      key_ = std::move(key);
    } else if (place_ == Place::kArray) {
      field_ = key == "dtype" ? kDType : key == "shape" ? kShape : key == "data_offsets" ? kOffsets : kOther;
      if ((field_ & fields_) != 0) return Refuse(code, "each key once", fmt::format("\"{}\" twice", key));
      fields_ |= field_ & ~kOther;
      offsets_ = 0;
    }
    return true;
  }

  bool on_string_part(std::string_view part, size_t, Code&) {
    text_ += part;
    return true;
  }

  bool on_string(std::string_view part, size_t, Code& code) {
    text_ += part;
    std::string text;
    text.swap(text_);
    if (place_ == Place::kMetadata) {
      metadata.emplace_back(key_, std::move(text));
      return true;
    }
    if (place_ == Place::kArray && field_ == kDType) return TakeDType(text, code);
    return Scalar(code, "a string");
  }

  bool on_number_part(std::string_view, Code&) { return true; }
  bool on_int64(int64_t number, std::string_view, Code& code) {
    if (number < 0) return Scalar(code, std::to_string(number));
    return TakeNumber(static_cast<uint64_t>(number), code);
  }
  bool on_uint64(uint64_t number, std::string_view, Code& code) { return TakeNumber(number, code); }
  bool on_double(double number, std::string_view, Code& code) { return Scalar(code, fmt::format("{}", number)); }
  bool on_bool(bool, Code& code) { return Scalar(code, "a boolean"); }
  bool on_null(Code& code) {
    return (place_ == Place::kTop && key_ == kMetadataKey) || Scalar(code, "null");  // as if it were not there
  }
  bool on_comment_part(std::string_view, Code&) { return true; }
  bool on_comment(std::string_view, Code&) { return true; }

 private:
  enum class Place { kOutside, kTop, kMetadata, kArray, kShape, kOffsets, kIgnored };
  enum Field : unsigned { kDType = 1, kShape = 2, kOffsets = 4, kOther = 8 };

  bool Refuse(Code& code, std::string_view expected, std::string_view found) {
    error = Error{ErrorCode::kCorrupt, fmt::format("key \"{}\": expected {}, found {}", key_, expected, found)};
    code = boost::json::make_error_code(boost::json::error::exception);
    return false;
  }

  // Something within a value that nobody asked for: the reference reads over it.
  bool Nested(Code& code, std::string_view found) {
    if (place_ == Place::kIgnored) {
      ignored_depth_++;
      return true;
    }
    if (place_ == Place::kArray && field_ == kOther) {
      place_ = Place::kIgnored;
      ignored_depth_ = 1;
      return true;
    }
    return Scalar(code, found);
  }
  bool Unnested() {
    if (--ignored_depth_ == 0) place_ = Place::kArray;
    return true;
  }

  // A value where another one belongs.
  bool Scalar(Code& code, std::string_view found) {
    switch (place_) {
      case Place::kOutside: return Refuse(code, "an object", found);
      case Place::kTop: return Refuse(code, "an object", found);
      case Place::kMetadata: return Refuse(code, "strings only", found);
      case Place::kShape: return Refuse(code, "a shape of whole numbers", found);
      case Place::kOffsets: return Refuse(code, "data_offsets that are whole numbers", found);
      case Place::kArray:
        if (field_ == kDType) return Refuse(code, "a dtype that is a string", found);
        if (field_ == kShape) return Refuse(code, "a shape that is an array", found);
        if (field_ == kOffsets) return Refuse(code, "data_offsets that are an array", found);
        return true;
      case Place::kIgnored: return true;
    }
    return true;
  }

  bool TakeDType(const std::string& name, Code& code) {
    const auto dtype = DTypeFromName(name);
    if (dtype && !IsQuantized(*dtype) && DTypeName(*dtype) == name) {
      arrays.back().dtype = *dtype;
      return true;
    }
    constexpr std::string_view kKnown[] = {"F4", "F6_E2M3", "F6_E3M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"};
    if (std::ranges::find(kKnown, name) == std::end(kKnown)) return Refuse(code, "a dtype of the format", name);
    error = Error{ErrorCode::kUnimplemented,
                  fmt::format("array \"{}\": elements of type {} are not supported", key_, name)};
    code = boost::json::make_error_code(boost::json::error::exception);
    return false;
  }

  bool TakeNumber(uint64_t number, Code& code) {
    if (place_ == Place::kShape) {
      arrays.back().shape.push_back(number);
      return true;
    }
    if (place_ == Place::kOffsets) {
      // The second offset is the end, kept as the size until both are known to be in order.
      if (offsets_ == 0) arrays.back().offset = number;
      if (offsets_ == 1) arrays.back().size = number;
      offsets_++;
      return true;
    }
    return Scalar(code, std::to_string(number));
  }

  Place place_ = Place::kOutside;
  std::string key_;       // of the top object or of the metadata
  std::string key_part_;  // of a key that is not yet whole
  std::string text_;      // of a string that is not yet whole
  Field field_ = kOther;  // of the array's object
  unsigned fields_ = 0;   // seen so far
  uint64_t offsets_ = 0;  // seen so far
  size_t ignored_depth_ = 0;
};

// Makes offset and size out of begin and end; without holes, without overlap, of the size that shape and type give.
Result<void> CheckLayout(const ByteSource& source, uint64_t data, std::vector<ArrayInfo>& arrays) {
  std::ranges::sort(arrays, {}, [](const ArrayInfo& array) { return std::pair(array.offset, array.size); });
  uint64_t end = 0;
  for (ArrayInfo& array : arrays) {
    const uint64_t begin = array.offset;
    const uint64_t array_end = array.size;
    if (begin != end || array_end < begin) {
      return Fail(ErrorCode::kCorrupt,
                  "{}: key \"{}\": expected data_offsets that begin at {}, where the array before ends, found [{}, {}]",
                  source.name(), array.name, end, begin, array_end);
    }
    const auto size = SizeOf(ArraySpec{array.name, array.dtype, array.shape});
    if (!size || *size != array_end - begin) {
      return Fail(ErrorCode::kCorrupt,
                  "{}: key \"{}\": expected {} bytes for {} of shape [{}], found data_offsets [{}, {}]", source.name(),
                  array.name, size ? std::to_string(*size) : "fewer than 2^64", DTypeName(array.dtype),
                  fmt::join(array.shape, ", "), begin, array_end);
    }
    array.size = *size;
    array.offset = begin + data;
    end = array_end;
    if (end > source.size() - data) {
      return Fail(ErrorCode::kCorrupt, "{}: key \"{}\": expected data up to offset {}, the file ends at {}",
                  source.name(), array.name, fmt::format("{} + {}", data, end), source.size());
    }
  }
  if (end != source.size() - data) {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: expected the end of the file, found {} more bytes", source.name(),
                data + end, source.size() - data - end);
  }
  return {};
}

Result<void> CheckMetadata(const ByteSource& source, const SafetensorsMetadata& metadata) {
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : metadata) keys.push_back(key);
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys);
  if (twice == keys.end()) return {};
  return Fail(ErrorCode::kCorrupt, "{}: key \"{}\": \"{}\" is there twice", source.name(), kMetadataKey, *twice);
}

}  // namespace

Result<Safetensors> ReadSafetensors(std::shared_ptr<const ByteSource> source) {
  ByteReader reader(*source);
  const auto length = TRY(reader.Number<uint64_t>("length of the header"));
  if (length > kMaxSafetensorsHeader) {
    return Fail(ErrorCode::kCorrupt, "{}: offset 0: expected a header of at most {} bytes, found {}", source->name(),
                kMaxSafetensorsHeader, length);
  }
  TRY(reader.Expect(length, "header"));
  std::string header(static_cast<size_t>(length), '\0');
  TRY(reader.Copy(std::as_writable_bytes(std::span(header)), "header"));
  if (!header.starts_with('{')) {
    return Fail(ErrorCode::kCorrupt, "{}: offset 8: expected a header that starts with {{, found {}", source->name(),
                header.empty() ? "nothing" : fmt::format("byte {:#04x}", static_cast<unsigned char>(header[0])));
  }

  boost::json::parse_options options;
  options.max_depth = 32;
  boost::json::basic_parser<HeaderHandler> parser(options);
  boost::json::error_code code;
  const size_t used = parser.write_some(false, header.data(), header.size(), code);
  HeaderHandler& handler = parser.handler();
  if (handler.error) return WithContext(*std::move(handler.error), source->name());
  if (code) {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: header is not valid JSON: {}", source->name(), 8 + used,
                code.message());
  }
  if (const size_t more = header.find_first_not_of(" \t\r\n", used); more != std::string::npos) {
    return Fail(ErrorCode::kCorrupt, "{}: offset {}: text after the header's JSON", source->name(), 8 + more);
  }
  TRY(CheckMetadata(*source, handler.metadata));
  TRY(CheckLayout(*source, 8 + length, handler.arrays));
  Safetensors file;
  file.metadata = std::move(handler.metadata);
  file.checkpoint = TRY(Checkpoint::Create({std::move(source)}, std::move(handler.arrays)));
  return file;
}

}  // namespace bothy
