#include "text/wordpiece.h"

#include <utility>

#include "text/utf8.h"

namespace bothy {
namespace {

class WordPiece final : public TokenModel {
 public:
  WordPiece(const PieceTable& pieces, WordPieceOptions options) : pieces_(pieces), options_(std::move(options)) {}

  void Tokenize(std::string_view word, Scratch& scratch, std::vector<Symbol>& out) const override {
    scratch.symbols.clear();
    std::string piece;
    bool known = CountUtf8(word) <= options_.max_characters;
    for (size_t begin = 0; known && begin < word.size();) {
      std::optional<TokenId> id;
      size_t end = word.size();
      for (; end > begin; end -= ReadUtf8Before(word.data() + end).size) {
        piece = begin > 0 ? options_.continuing_prefix : std::string();
        piece += word.substr(begin, end - begin);
        if ((id = pieces_.Find(piece))) break;
      }
      known = id.has_value();
      if (known) scratch.symbols.push_back({*id, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
      begin = end;
    }
    if (known) {
      out.insert(out.end(), scratch.symbols.begin(), scratch.symbols.end());
    } else if (options_.unk) {
      out.push_back({*options_.unk, 0, static_cast<uint32_t>(word.size())});
    }
  }

 private:
  const PieceTable& pieces_;
  WordPieceOptions options_;
};

class WordLevel final : public TokenModel {
 public:
  WordLevel(const PieceTable& pieces, std::optional<TokenId> unk) : pieces_(pieces), unk_(unk) {}

  void Tokenize(std::string_view word, Scratch&, std::vector<Symbol>& out) const override {
    const auto id = pieces_.Find(word);
    if (id || unk_) out.push_back({id ? *id : *unk_, 0, static_cast<uint32_t>(word.size())});
  }

 private:
  const PieceTable& pieces_;
  std::optional<TokenId> unk_;
};

}  // namespace

std::unique_ptr<TokenModel> WordPieceModel(const PieceTable& pieces, WordPieceOptions options) {
  return std::make_unique<WordPiece>(pieces, std::move(options));
}

std::unique_ptr<TokenModel> WordLevelModel(const PieceTable& pieces, std::optional<TokenId> unk) {
  return std::make_unique<WordLevel>(pieces, unk);
}

}  // namespace bothy
