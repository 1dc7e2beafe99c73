// The four normalization forms of Unicode.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/aligned_text.h"

namespace bothy {

enum class UnicodeForm : uint8_t { kNfc, kNfd, kNfkc, kNfkd };

// Appends the normalized text.
void PutInForm(UnicodeForm form, const Word& from, AlignedText& to);

// Whether a glance at `text` shows that it is in the form already. May say no where it is.
bool IsPlainlyInForm(UnicodeForm form, std::string_view text);

}  // namespace bothy
