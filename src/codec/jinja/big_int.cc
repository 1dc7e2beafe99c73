#include "codec/jinja/big_int.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace bothy::jinja {
namespace {

void Trim(std::vector<uint32_t>& words) {
  while (!words.empty() && words.back() == 0) words.pop_back();
}

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

}  // namespace

BigInt::BigInt(Words words, bool negative) : words_(std::move(words)), negative_(negative) {
  Trim(words_);
  if (words_.empty()) negative_ = false;
}

BigInt::BigInt(int64_t value) : negative_(value < 0) {
  uint64_t magnitude = value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
  for (; magnitude != 0; magnitude >>= 32) words_.push_back(static_cast<uint32_t>(magnitude));
}

BigInt BigInt::FromDouble(double value) {
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(std::trunc(value)), &exponent);  // 0.5 <= fraction < 1
  if (fraction == 0) return BigInt();
  uint64_t mantissa = static_cast<uint64_t>(std::ldexp(fraction, 53));
  int shift = exponent - 53;
  if (shift < 0) {
    mantissa >>= -shift;
    shift = 0;
  }
  Words words(static_cast<size_t>(shift) / 32, 0);
  const unsigned __int128 wide = static_cast<unsigned __int128>(mantissa) << (shift % 32);
  for (int i = 0; i < 4; ++i) words.push_back(static_cast<uint32_t>(wide >> (32 * i)));
  return BigInt(std::move(words), value < 0);
}

std::optional<BigInt> BigInt::FromDigits(std::string_view digits, int base, bool negative) {
  Words words;
  for (const char c : digits) {
    const int digit = DigitValue(c);
    if (digit >= base) return std::nullopt;
    uint64_t carry = static_cast<uint64_t>(digit);
    for (uint32_t& word : words) {
      carry += static_cast<uint64_t>(word) * static_cast<uint64_t>(base);
      word = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words.push_back(static_cast<uint32_t>(carry));
    if (words.size() > kMaxBits / 32) return std::nullopt;
  }
  return BigInt(std::move(words), negative);
}

size_t BigInt::BitLength() const {
  if (words_.empty()) return 0;
  return 32 * (words_.size() - 1) + static_cast<size_t>(std::bit_width(words_.back()));
}

size_t BigInt::BitCount() const {
  size_t count = 0;
  for (const uint32_t word : words_) count += static_cast<size_t>(std::popcount(word));
  return count;
}

std::optional<int64_t> BigInt::ToInt64() const {
  if (words_.size() > 2) return std::nullopt;
  uint64_t magnitude = 0;
  for (size_t i = words_.size(); i-- > 0;) magnitude = magnitude << 32 | words_[i];
  const uint64_t limit = uint64_t{1} << 63;
  if (negative_) {
    if (magnitude > limit) return std::nullopt;
    return static_cast<int64_t>(~magnitude + 1);
  }
  if (magnitude >= limit) return std::nullopt;
  return static_cast<int64_t>(magnitude);
}

double BigInt::ToDouble() const {
  const size_t bits = BitLength();
  if (bits == 0) return 0;
  if (bits > 1024) return negative_ ? -HUGE_VAL : HUGE_VAL;
  // The top 64 bits, the last of which stands for everything below, round to 53 as the whole number would.
  uint64_t top = 0;
  const size_t shift = bits > 64 ? bits - 64 : 0;
  for (size_t i = 0; i < std::min<size_t>(bits, 64); ++i) {
    const size_t bit = shift + i;
    if ((words_[bit / 32] >> (bit % 32) & 1) != 0) top |= uint64_t{1} << i;
  }
  for (size_t bit = 0; bit < shift; ++bit) {
    if ((words_[bit / 32] >> (bit % 32) & 1) != 0) {
      top |= 1;
      break;
    }
  }
  const double magnitude = std::ldexp(static_cast<double>(top), static_cast<int>(shift));
  return negative_ ? -magnitude : magnitude;
}

std::string BigInt::ToString(int base) const {
  if (words_.empty()) return "0";
  std::string out;
  Words rest = words_;
  // As many digits a division as fit 32 bits.
  uint32_t chunk = static_cast<uint32_t>(base);
  int digits = 1;
  while (static_cast<uint64_t>(chunk) * static_cast<uint64_t>(base) <= std::numeric_limits<uint32_t>::max()) {
    chunk *= static_cast<uint32_t>(base);
    ++digits;
  }
  while (!rest.empty()) {
    uint32_t part = DivideSmall(rest, chunk);
    for (int i = 0; i < digits && (part != 0 || !rest.empty()); ++i) {
      out += "0123456789abcdefghijklmnopqrstuvwxyz"[part % static_cast<uint32_t>(base)];
      part /= static_cast<uint32_t>(base);
    }
  }
  if (negative_) out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

BigInt BigInt::Negated() const { return BigInt(words_, !negative_); }

int BigInt::CompareMagnitude(const Words& a, const Words& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  for (size_t i = a.size(); i-- > 0;) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

BigInt::Words BigInt::AddMagnitude(const Words& a, const Words& b) {
  const Words& longer = a.size() >= b.size() ? a : b;
  const Words& shorter = a.size() >= b.size() ? b : a;
  Words sum(longer.size() + 1);
  uint64_t carry = 0;
  for (size_t i = 0; i < longer.size(); ++i) {
    carry += longer[i];
    if (i < shorter.size()) carry += shorter[i];
    sum[i] = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
  sum[longer.size()] = static_cast<uint32_t>(carry);
  return sum;
}

BigInt::Words BigInt::SubtractMagnitude(const Words& a, const Words& b) {
  Words difference(a.size());
  uint32_t borrow = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const uint64_t take = static_cast<uint64_t>(i < b.size() ? b[i] : 0) + borrow;
    borrow = a[i] < take ? 1 : 0;
    difference[i] = static_cast<uint32_t>((static_cast<uint64_t>(borrow) << 32) + a[i] - take);
  }
  return difference;
}

uint32_t BigInt::DivideSmall(Words& words, uint32_t divisor) {
  uint64_t remainder = 0;
  for (size_t i = words.size(); i-- > 0;) {
    remainder = remainder << 32 | words[i];
    words[i] = static_cast<uint32_t>(remainder / divisor);
    remainder %= divisor;
  }
  Trim(words);
  return static_cast<uint32_t>(remainder);
}

BigInt operator+(const BigInt& a, const BigInt& b) {
  if (a.negative_ == b.negative_) return BigInt(BigInt::AddMagnitude(a.words_, b.words_), a.negative_);
  if (BigInt::CompareMagnitude(a.words_, b.words_) >= 0) {
    return BigInt(BigInt::SubtractMagnitude(a.words_, b.words_), a.negative_);
  }
  return BigInt(BigInt::SubtractMagnitude(b.words_, a.words_), b.negative_);
}

BigInt operator*(const BigInt& a, const BigInt& b) {
  BigInt::Words product(a.words_.size() + b.words_.size(), 0);
  for (size_t i = 0; i < a.words_.size(); ++i) {
    uint64_t carry = 0;
    for (size_t j = 0; j < b.words_.size(); ++j) {
      carry += static_cast<uint64_t>(a.words_[i]) * b.words_[j] + product[i + j];
      product[i + j] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    product[i + b.words_.size()] = static_cast<uint32_t>(carry);
  }
  return BigInt(std::move(product), a.negative_ != b.negative_);
}

int Compare(const BigInt& a, const BigInt& b) {
  if (a.negative_ != b.negative_) return a.negative_ ? -1 : 1;
  const int magnitude = BigInt::CompareMagnitude(a.words_, b.words_);
  return a.negative_ ? -magnitude : magnitude;
}

void BigInt::DivideFloor(const BigInt& a, const BigInt& b, BigInt& quotient, BigInt& remainder) {
  // Bit by bit from the top: at most kMaxBits rounds over as many words as the divisor has.
  Words parts(a.words_.size(), 0);
  Words rest;
  if (b.words_.size() == 1) {
    parts = a.words_;
    const uint32_t small = DivideSmall(parts, b.words_[0]);
    if (small != 0) rest.push_back(small);
  } else {
    for (size_t bit = a.BitLength(); bit-- > 0;) {
      uint32_t carry = a.words_[bit / 32] >> (bit % 32) & 1;
      for (uint32_t& word : rest) {
        const uint32_t next = word >> 31;
        word = word << 1 | carry;
        carry = next;
      }
      if (carry != 0) rest.push_back(carry);
      if (CompareMagnitude(rest, b.words_) >= 0) {
        rest = SubtractMagnitude(rest, b.words_);
        Trim(rest);
        parts[bit / 32] |= uint32_t{1} << (bit % 32);
      }
    }
  }
  quotient = BigInt(std::move(parts), a.negative_ != b.negative_);
  remainder = BigInt(std::move(rest), a.negative_);
  if (!remainder.IsZero() && a.negative_ != b.negative_) {
    quotient = quotient - BigInt(1);
    remainder = remainder + b;
  }
}

}  // namespace bothy::jinja
