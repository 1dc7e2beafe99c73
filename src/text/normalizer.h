// Changes text before it is cut into words: the normalizer of tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/aligned_text.h"
#include "text/charsmap.h"
#include "text/unicode_form.h"

namespace bothy {

class Normalizer {  // Safe on several threads.
 public:
  virtual ~Normalizer() = default;

  // Appends the changed text, valid UTF-8 like the one that comes in. Whoever begins a text looks whether its budget
  // was enough.
  virtual Result<void> Apply(const Word& from, AlignedText& to) const = 0;

  // Whether a glance shows that the text stays as it is.
  virtual bool Keeps(const Word& from) const {
    (void)from;
    return false;
  }
};

using NormalizerPtr = std::unique_ptr<Normalizer>;

NormalizerPtr NormalizerSequence(std::vector<NormalizerPtr> steps);
NormalizerPtr UnicodeNormalizer(UnicodeForm form);
NormalizerPtr LowercaseNormalizer();
NormalizerPtr StripNormalizer(bool left, bool right);        // white space
NormalizerPtr StripAccentsNormalizer(bool only_nonspacing);  // marks; the reference's BERT takes fewer for accents
NormalizerPtr PrependNormalizer(std::string text);           // not before an empty text
NormalizerPtr ByteLevelNormalizer();                         // GPT-2's alphabet
NormalizerPtr NmtNormalizer();                               // control characters out, odd spaces to spaces
NormalizerPtr CleanTextNormalizer();                         // the same as BERT does it
NormalizerPtr SpacedCjkNormalizer();                         // a space on either side of each ideograph
NormalizerPtr CharsmapNormalizer(Charsmap map);              // Precompiled
NormalizerPtr ReplaceNormalizer(std::string pattern, std::string content);
Result<NormalizerPtr> ReplaceRegexNormalizer(std::string_view pattern, std::string content);

}  // namespace bothy
