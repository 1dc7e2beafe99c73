// Cuts text in SentencePiece's style into words before it is merged, where that provably changes nothing.
#pragma once

#include <memory>

#include "text/piece_table.h"
#include "text/pre_tokenizer.h"

namespace bothy {

// SentencePiece and its like merge a whole text at once. But where no piece has a U+2581 behind a character x, no merge
// reaches across a place between x and U+2581: the text can be cut there, and the words be remembered. Null where
// U+2581 is no piece, or nearly every character stands before one in some piece.
PreTokenizerPtr CutBeforeSpaceSymbols(const PieceTable& pieces);

}  // namespace bothy
