#include <cstring>
#include <utility>

#include "text/sentencepiece.h"
#include "text/utf8.h"

namespace bothy {
namespace {

using Type = SentencePieceSpec::Type;

// The wire format of protobuf messages, as far as this one uses it.
class ProtoReader {
 public:
  ProtoReader(std::string_view bytes, size_t offset) : bytes_(bytes), offset_(offset) {}

  struct Field {
    uint32_t number = 0;
    uint64_t integer = 0;    // of varints
    float number_f32 = 0;    // of 32 bits
    std::string_view bytes;  // of strings and messages
    size_t offset = 0;       // where in the file the value lies
    enum class Wire : uint8_t { kVarint = 0, k64 = 1, kBytes = 2, k32 = 5 } wire = Wire::kVarint;
  };

  bool AtEnd() const { return at_ == bytes_.size(); }

  Result<Field> Next() {
    const size_t begin = at_;
    Field field;
    const uint64_t tag = TRY(Varint());
    field.number = static_cast<uint32_t>(tag >> 3);
    field.wire = static_cast<Field::Wire>(tag & 7);
    field.offset = offset_ + at_;
    size_t size = 0;
    switch (field.wire) {
      case Field::Wire::kVarint: field.integer = TRY(Varint()); return field;
      case Field::Wire::kBytes: {
        const uint64_t length = TRY(Varint());
        if (length > bytes_.size() - at_) {
          return Fail(ErrorCode::kCorrupt, "offset {}: a field of {} bytes, {} are left", offset_ + begin, length,
                      bytes_.size() - at_);
        }
        field.offset = offset_ + at_;
        size = static_cast<size_t>(length);
        break;
      }
      case Field::Wire::k64: size = 8; break;
      case Field::Wire::k32: size = 4; break;
      default: return Fail(ErrorCode::kCorrupt, "offset {}: no field of a protobuf message", offset_ + begin);
    }
    if (size > bytes_.size() - at_) return Fail(ErrorCode::kCorrupt, "offset {}: the file ends", offset_ + at_);
    field.bytes = bytes_.substr(at_, size);
    if (size == 4) std::memcpy(&field.number_f32, field.bytes.data(), 4);
    at_ += size;
    return field;
  }

 private:
  Result<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) return Fail(ErrorCode::kCorrupt, "offset {}: the file ends", offset_ + at_);
      const auto byte = static_cast<uint8_t>(bytes_[at_++]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    return Fail(ErrorCode::kCorrupt, "offset {}: a number of more than 64 bits", offset_ + at_);
  }

  std::string_view bytes_;
  size_t offset_;  // of bytes_ in the file
  size_t at_ = 0;
};

using Field = ProtoReader::Field;

// Calls `take` with each field of a message.
template <class Take>
Result<void> ForEachField(std::string_view bytes, size_t offset, Take take) {
  ProtoReader reader(bytes, offset);
  while (!reader.AtEnd()) TRY(take(TRY(reader.Next())));
  return {};
}

Result<void> Expect(const Field& field, Field::Wire wire) {
  if (field.wire == wire) return {};
  return Fail(ErrorCode::kCorrupt, "offset {}: field {} has the wrong type", field.offset, field.number);
}

Result<SentencePieceSpec::Piece> ReadPiece(const Field& message) {
  SentencePieceSpec::Piece piece;
  TRY(ForEachField(message.bytes, message.offset, [&](const Field& field) -> Result<void> {
    if (field.number == 1) {
      TRY(Expect(field, Field::Wire::kBytes));
      piece.text = field.bytes;
    } else if (field.number == 2) {
      TRY(Expect(field, Field::Wire::k32));
      piece.score = field.number_f32;
    } else if (field.number == 3) {
      TRY(Expect(field, Field::Wire::kVarint));
      if (field.integer < 1 || field.integer > 6) {
        return Fail(ErrorCode::kCorrupt, "offset {}: a piece of type {}", field.offset, field.integer);
      }
      piece.type = static_cast<Type>(field.integer);
    }
    return {};
  }));
  return piece;
}

// Numbers of trainer_spec that matter afterwards.
struct Trainer {
  uint64_t model_type = 1;  // Unigram
  // As int32 in the message; -1 where there is no such token.
  int64_t unk = 0, bos = 1, eos = 2, pad = -1;
};

Result<Trainer> ReadTrainer(const Field& message, SentencePieceSpec& spec) {
  Trainer trainer;
  TRY(ForEachField(message.bytes, message.offset, [&](const Field& field) -> Result<void> {
    const auto id = static_cast<int64_t>(field.integer);
    switch (field.number) {
      case 3: trainer.model_type = field.integer; break;
      case 24: spec.treat_whitespace_as_suffix = field.integer != 0; break;
      case 35: spec.byte_fallback = field.integer != 0; break;
      case 40: trainer.unk = id; break;
      case 41: trainer.bos = id; break;
      case 42: trainer.eos = id; break;
      case 43: trainer.pad = id; break;
      case 44:
        TRY(Expect(field, Field::Wire::kBytes));
        spec.unknown_surface = field.bytes;
        if (FindInvalidUtf8(field.bytes) != std::string_view::npos) {
          return Fail(ErrorCode::kCorrupt, "offset {}: unk_surface is not valid UTF-8", field.offset);
        }
        break;
      default: break;
    }
    return {};
  }));
  return trainer;
}

Result<void> ReadNormalizerSpec(const Field& message, SentencePieceSpec& spec) {
  return ForEachField(message.bytes, message.offset, [&](const Field& field) -> Result<void> {
    switch (field.number) {
      case 2:
        TRY(Expect(field, Field::Wire::kBytes));
        spec.charsmap = field.bytes;
        break;
      case 3: spec.add_dummy_prefix = field.integer != 0; break;
      case 4: spec.remove_extra_whitespaces = field.integer != 0; break;
      case 5: spec.escape_whitespaces = field.integer != 0; break;
      default: break;
    }
    return {};
  });
}

Result<SentencePieceSpec> ReadModel(std::string_view bytes) {
  SentencePieceSpec spec;
  Trainer trainer;
  TRY(ForEachField(bytes, 0, [&](const Field& field) -> Result<void> {
    if (field.number < 1 || field.number > 3) return {};
    TRY(Expect(field, Field::Wire::kBytes));
    if (field.number == 1) spec.pieces.push_back(TRY(ReadPiece(field)));
    if (field.number == 2) trainer = TRY(ReadTrainer(field, spec));
    if (field.number == 3) TRY(ReadNormalizerSpec(field, spec));
    return {};
  }));
  if (spec.pieces.empty()) return Fail(ErrorCode::kCorrupt, "a model without pieces");
  if (trainer.model_type != 1 && trainer.model_type != 2) {
    return Fail(ErrorCode::kUnimplemented, "models of type {} (word, character) are not supported", trainer.model_type);
  }
  spec.is_unigram = trainer.model_type == 1;
  const auto token = [&](int64_t id, Type type) -> std::optional<TokenId> {
    if (id < 0 || static_cast<uint64_t>(id) >= spec.pieces.size()) return std::nullopt;
    if (spec.pieces[static_cast<size_t>(id)].type != type) return std::nullopt;
    return static_cast<TokenId>(id);
  };
  // As the reference: the unknown token is the piece of that type, wherever trainer_spec says it is.
  for (size_t i = 0; i < spec.pieces.size() && !spec.unk; i++) {
    if (spec.pieces[i].type == Type::kUnknown) spec.unk = static_cast<TokenId>(i);
  }
  if (!spec.unk) return Fail(ErrorCode::kCorrupt, "a model without an unknown piece");
  spec.bos = token(trainer.bos, Type::kControl);
  spec.eos = token(trainer.eos, Type::kControl);
  spec.pad = token(trainer.pad, Type::kControl);
  return spec;
}

}  // namespace

Result<SentencePieceSpec> ReadSentencePieceModel(std::string_view bytes, std::string_view file) {
  return TRY_CONTEXT(file, ReadModel(bytes));
}

Result<SentencePieceSpec> ReadLlama2cTokenizer(std::string_view bytes, std::string_view file) {
  constexpr int32_t kMaxLength = 1024;
  SentencePieceSpec spec;
  spec.byte_fallback = true;
  spec.remove_extra_whitespaces = false;
  size_t at = 4;
  while (at < bytes.size()) {
    SentencePieceSpec::Piece piece;
    int32_t length = 0;
    if (bytes.size() - at < 8) return Fail(ErrorCode::kCorrupt, "{}: offset {}: the file ends", file, at);
    std::memcpy(&piece.score, bytes.data() + at, 4);
    std::memcpy(&length, bytes.data() + at + 4, 4);
    at += 8;
    if (length < 0 || length > kMaxLength || static_cast<size_t>(length) > bytes.size() - at) {
      return Fail(ErrorCode::kCorrupt, "{}: offset {}: a token of {} bytes, {} are left", file, at - 4, length,
                  bytes.size() - at);
    }
    for (const char c : bytes.substr(at, static_cast<size_t>(length))) {
      c == ' ' ? piece.text.append("\xE2\x96\x81") : piece.text.append(1, c);
    }
    at += static_cast<size_t>(length);
    // The order is SentencePiece's, with the names of the first three spelled out with line ends.
    const size_t id = spec.pieces.size();
    if (id == 0) {
      piece.type = Type::kUnknown;
    } else if (id < 3) {
      piece.type = Type::kControl;
      piece.text = id == 1 ? "<s>" : "</s>";
    } else if (id < 259) {
      piece.type = Type::kByte;
    }
    spec.pieces.push_back(std::move(piece));
  }
  if (spec.pieces.size() < 259) {
    return Fail(ErrorCode::kCorrupt, "{}: {} tokens, expected at least 259", file, spec.pieces.size());
  }
  spec.unk = 0;
  spec.bos = 1;
  spec.eos = 2;
  return spec;
}

}  // namespace bothy
