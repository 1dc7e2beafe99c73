// Where the last few tokens of a text stood in it before, so that what followed them can be proposed as what follows
// now (prompt look-up decoding). Costs a few operations a token, whatever the length.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bothy {

class NgramLookup {
 public:
  static constexpr size_t kTokens = 3;

  // `text` is what it was last time with more behind it.
  void Update(std::span<const int32_t> text);

  // Up to `most` tokens that followed the last kTokens of the text where these stood before; empty where they did not.
  // Behind the end of the text the proposal goes on as if it had come true.
  void Propose(std::span<const int32_t> text, size_t most, std::vector<int32_t>& proposal) const;

 private:
  size_t Slot(std::span<const int32_t> text, size_t end) const;
  void Grow(std::span<const int32_t> text);

  // The latest place of each kTokens: the index behind them, or 0. A slot has room for one; the later wins. So there is
  // nothing that a text made for the purpose could make long.
  std::vector<uint32_t> slots_;
  size_t seen_ = 0;        // tokens of the text that are in
  uint32_t previous_ = 0;  // where the last kTokens of the text stood before
};

}  // namespace bothy
