#include "text/space_cutter.h"

#include <array>
#include <utility>

#include "text/hash_table.h"
#include "text/utf8.h"

namespace bothy {
namespace {

constexpr std::string_view kSymbol = "\xE2\x96\x81";  // U+2581

class Cutter final : public PreTokenizer {
 public:
  explicit Cutter(FlatMap<uint32_t, bool> joined) : joined_(std::move(joined)) {}

  void Cut(const Word& piece, bool, WordSink& sink) const override {
    const std::string_view text = piece.text;
    size_t begin = 0;
    for (size_t at = text.find(kSymbol, 1); at != std::string_view::npos; at = text.find(kSymbol, at + 1)) {
      if (joined_.Find(ReadUtf8Before(text.data() + at).code) != nullptr) continue;
      sink.Put(piece.Part(begin, at));
      begin = at;
    }
    if (begin < text.size()) sink.Put(piece.Part(begin, text.size()));
  }

 private:
  FlatMap<uint32_t, bool> joined_;  // characters that stand before U+2581 in some piece
};

}  // namespace

PreTokenizerPtr CutBeforeSpaceSymbols(const PieceTable& pieces) {
  if (!pieces.Find(kSymbol)) return nullptr;
  FlatMap<uint32_t, bool> joined;
  joined.Insert(0x2581, true);
  for (size_t i = 0; i < pieces.size(); i++) {
    const auto id = static_cast<TokenId>(i);
    if (!pieces.Contains(id)) continue;
    const std::string_view piece = pieces[id];
    for (size_t at = piece.find(kSymbol, 1); at != std::string_view::npos; at = piece.find(kSymbol, at + 1)) {
      joined.Insert(ReadUtf8Before(piece.data() + at).code, true);
    }
  }
  return std::make_unique<Cutter>(std::move(joined));
}

}  // namespace bothy
