// Integers beyond 64 bits, for templates that compute with them as Python does: sign and magnitude, schoolbook
// arithmetic, bounded in size. Values that fit 64 bits are never kept in this form (see number.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bothy::jinja {

class BigInt {
 public:
  // Python refuses to print integers of more than 4300 decimal digits; that many bits (and a few) bound all of ours.
  static constexpr size_t kMaxBits = 14336;

  BigInt() = default;
  explicit BigInt(int64_t value);
  // The integral part of a finite number.
  static BigInt FromDouble(double value);
  // Digits of `base` (2 to 36) only; nothing where there is another character or there are more than kMaxBits.
  static std::optional<BigInt> FromDigits(std::string_view digits, int base, bool negative);

  bool negative() const { return negative_; }
  bool IsZero() const { return words_.empty(); }
  size_t BitLength() const;
  size_t BitCount() const;
  std::optional<int64_t> ToInt64() const;  // nothing where it does not fit
  double ToDouble() const;                 // correctly rounded; infinite where it is too large
  std::string ToString(int base = 10) const;

  BigInt Negated() const;
  friend BigInt operator+(const BigInt& a, const BigInt& b);
  friend BigInt operator-(const BigInt& a, const BigInt& b) { return a + b.Negated(); }
  friend BigInt operator*(const BigInt& a, const BigInt& b);
  friend int Compare(const BigInt& a, const BigInt& b);  // -1, 0, 1
  // Rounds the quotient down, so that the remainder has the divisor's sign. The divisor is not zero.
  static void DivideFloor(const BigInt& a, const BigInt& b, BigInt& quotient, BigInt& remainder);

 private:
  using Words = std::vector<uint32_t>;
  BigInt(Words words, bool negative);
  static int CompareMagnitude(const Words& a, const Words& b);
  static Words AddMagnitude(const Words& a, const Words& b);
  static Words SubtractMagnitude(const Words& a, const Words& b);  // a >= b
  static uint32_t DivideSmall(Words& words, uint32_t divisor);     // in place; the remainder

  Words words_;  // the lowest first, no zeros at the end
  bool negative_ = false;
};

}  // namespace bothy::jinja
