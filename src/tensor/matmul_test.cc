#include "tensor/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/half.h"
#include "base/testing.h"
#include "tensor/isa.h"
#include "tensor/ops.h"
#include "tensor/quant/quant.h"

namespace bothy {
namespace {

const DType kStored[] = {DType::kF64,  DType::kF32,  DType::kF16,    DType::kBF16,   DType::kQ4_0, DType::kQ4_1,
                         DType::kQ5_0, DType::kQ5_1, DType::kQ8_0,   DType::kQ2_K,   DType::kQ3_K, DType::kQ4_K,
                         DType::kQ5_K, DType::kQ6_K, DType::kIQ4_NL, DType::kIQ4_XS, DType::kMXFP4};

// A matrix of random bytes in its stored form; scales are sane numbers, everything else is any bits.
struct Stored {
  DType type;
  size_t rows, columns;
  std::vector<std::byte> bytes;

  size_t row_bytes() const { return *RowBytes(type, columns); }
  RowReader Reader() const {
    return [this](uint64_t first, uint64_t count, std::span<std::byte> out) -> Result<void> {
      std::memcpy(out.data(), bytes.data() + first * row_bytes(), count * row_bytes());
      return {};
    };
  }
  std::vector<float> Values() const {
    std::vector<float> values(rows * columns);
    for (size_t r = 0; r < rows; r++) {
      Dequantize(type, bytes.data() + r * row_bytes(), columns, values.data() + r * columns);
    }
    return values;
  }
};

void PutHalf(std::byte* at, float value) {
  const uint16_t bits = ToF16(value);
  std::memcpy(at, &bits, 2);
}

Stored RandomMatrix(DType type, size_t rows, size_t columns, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Stored m = {type, rows, columns, {}};
  m.bytes.resize(rows * m.row_bytes());
  const DTypeInfo& info = InfoOf(type);
  for (size_t i = 0; i < m.bytes.size(); i += info.bytes) {
    std::byte* block = m.bytes.data() + i;
    for (size_t b = 0; b < info.bytes; b++) block[b] = static_cast<std::byte>(random());
    const float scale = 0.01f * normal(random), minimum = 0.02f * normal(random);
    switch (type) {
      case DType::kF64: {
        const double v = normal(random);
        std::memcpy(block, &v, 8);
        break;
      }
      case DType::kF32: std::memcpy(block, &scale, 4); break;
      case DType::kF16: PutHalf(block, scale); break;
      case DType::kBF16: {
        const uint16_t bits = ToBF16(scale);
        std::memcpy(block, &bits, 2);
        break;
      }
      case DType::kQ4_1:
      case DType::kQ5_1:
      case DType::kQ4_K:
      case DType::kQ5_K: PutHalf(block + 2, minimum); [[fallthrough]];
      case DType::kQ4_0:
      case DType::kQ5_0:
      case DType::kQ8_0:
      case DType::kIQ4_NL:
      case DType::kIQ4_XS: PutHalf(block, scale); break;
      case DType::kQ2_K:
        PutHalf(block + 80, scale);
        PutHalf(block + 82, minimum);
        break;
      case DType::kQ3_K: PutHalf(block + 108, scale); break;
      case DType::kQ6_K: PutHalf(block + 208, scale); break;
      case DType::kMXFP4: block[0] = static_cast<std::byte>(110 + random() % 20); break;
      default: ADD_FAILURE() << DTypeName(type);
    }
  }
  return m;
}

std::vector<float> RandomValues(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

// `columns` columns of k values as panels.
std::vector<float> Panels(const std::vector<float>& x, size_t k, size_t columns) {
  std::vector<float> panels(columns * k);
  for (size_t c = 0; c < columns; c++) PackColumn(x.data() + c * k, k, c, columns, panels.data());
  return panels;
}

class EveryTypeAndInstructionSet : public testing::TestWithParam<std::tuple<DType, Isa>> {
 protected:
  void SetUp() override { UseIsa(std::get<Isa>(GetParam())); }
  void TearDown() override { UseIsa(SupportedIsas().back()); }
  DType type() const { return std::get<DType>(GetParam()); }

  // Widths: a multiple of the block, and for plain types odd ones.
  std::vector<size_t> Widths() const {
    const size_t block = InfoOf(type()).elements;
    if (block == 1) return {1, 7, 96, 256, 300, 777};
    return {block, 3 * block, 1024};
  }
};

// The sum of n products in f32, each term within a rounding, in any order: the error is at most (n + 3) * 2^-24 times
// the sum of absolute terms (Higham, Accuracy and Stability, 3.1). Chunks and lanes only make it smaller.
double Bound(size_t n, double absolute_sum) { return (static_cast<double>(n) + 3) * 0x1p-24 * absolute_sum + 1e-30; }

TEST_P(EveryTypeAndInstructionSet, ProductsAgreeWithADoublePrecisionLoop) {
  ThreadPool pool(2);
  for (const size_t k : Widths()) {
    for (const size_t rows : {size_t{1}, size_t{16}, size_t{37}, size_t{130}}) {
      const Stored stored = RandomMatrix(type(), rows, k, static_cast<uint32_t>(k * 1000 + rows));
      const auto packed = PackedMatrix::Pack(type(), rows, k, stored.Reader(), pool);
      ASSERT_OK(packed);
      const std::vector<float> weights = stored.Values();
      for (const size_t columns : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{13}, size_t{30}}) {
        const std::vector<float> x = RandomValues(columns * k, 7);
        std::vector<ActivationBlock> blocks(columns * k / 32 + 1);
        if (k % 32 == 0) QuantizeActivations(x.data(), columns * k, blocks.data());
        const std::vector<float> panels = Panels(x, k, columns);
        for (const Precision precision : {Precision::kExact, Precision::kFast}) {
          const bool quantized = NeedsQuantized(*packed, precision);
          std::vector<float> out(columns * rows, -1.0f);
          const Product product = {&*packed, out.data(), rows};
          MatMul(pool, {x.data(), columns, k, quantized ? blocks.data() : nullptr, panels.data()}, {&product, 1},
                 precision);
          for (size_t c = 0; c < columns; c++) {
            for (size_t r = 0; r < rows; r++) {
              double want = 0, absolute = 0;
              for (size_t i = 0; i < k; i++) {
                const size_t index = c * k + i;
                const ActivationBlock& b = blocks[quantized ? index / 32 : 0];
                const double activation = quantized ? static_cast<double>(b.q[i % 32]) * static_cast<double>(b.scale)
                                                    : static_cast<double>(x[index]);
                const double w = static_cast<double>(weights[r * k + i]);
                want += w * activation;
                absolute += std::abs(w * activation);
              }
              // Formats with a minimum sum scale * code and minimum apart, and each may be far larger than the weight.
              const double slack = quantized ? 8.0 : 1.0;
              ASSERT_NEAR(out[c * rows + r], want, slack * Bound(k, absolute))
                  << DTypeName(type()) << " k " << k << " rows " << rows << " columns " << columns << " at " << c
                  << ", " << r;
            }
          }
        }
      }
    }
  }
}

TEST_P(EveryTypeAndInstructionSet, ExactProductsWithUnitVectorsAreTheStoredWeights) {
  ThreadPool pool(2);
  const size_t k = 512, rows = 37;
  const Stored stored = RandomMatrix(type(), rows, k, 3);
  const auto packed = PackedMatrix::Pack(type(), rows, k, stored.Reader(), pool);
  ASSERT_OK(packed);
  const std::vector<float> weights = stored.Values();
  std::vector<float> x(k * k), out(k * rows);
  for (size_t i = 0; i < k; i++) x[i * k + i] = 1;
  const Product product = {&*packed, out.data(), rows};
  MatMul(pool, {x.data(), k, k, nullptr, Panels(x, k, k).data()}, {&product, 1}, Precision::kExact);
  for (size_t r = 0; r < rows; r++) {
    for (size_t i = 0; i < k; i++) ASSERT_EQ(out[i * rows + r], weights[r * k + i]) << "row " << r << ", " << i;
  }
}

TEST_P(EveryTypeAndInstructionSet, AColumnsBitsDoNotDependOnItsCompanyOrOnThreads) {
  ThreadPool one(1), three(3);
  const size_t k = InfoOf(type()).elements == 1 ? 300 : 1024, rows = 100, columns = 29;
  const Stored stored = RandomMatrix(type(), rows, k, 1);
  const auto packed = PackedMatrix::Pack(type(), rows, k, stored.Reader(), three);
  ASSERT_OK(packed);
  const std::vector<float> x = RandomValues(columns * k, 2);
  std::vector<ActivationBlock> blocks(columns * k / 32 + 1);
  if (k % 32 == 0) QuantizeActivations(x.data(), columns * k, blocks.data());
  const std::vector<float> panels = Panels(x, k, columns);
  for (const Precision precision : {Precision::kExact, Precision::kFast}) {
    std::vector<float> all(columns * rows), alone(rows);
    const Product together = {&*packed, all.data(), rows};
    MatMul(three, {x.data(), columns, k, blocks.data(), panels.data()}, {&together, 1}, precision);
    for (size_t c = 0; c < columns; c++) {
      const Product single = {&*packed, alone.data(), rows};
      MatMul(one, {x.data() + c * k, 1, k, blocks.data() + c * k / 32}, {&single, 1}, precision);
      ASSERT_EQ(std::memcmp(alone.data(), all.data() + c * rows, rows * 4), 0) << DTypeName(type()) << " column " << c;
    }
  }
}

TEST(MatMul, QuantizedAndPlainWeightsInOneCallAreAsEachAlone) {
  ThreadPool pool(2);
  const size_t k = 64, rows = 40, columns = 700;  // more than a run of either
  const std::vector<float> x = RandomValues(columns * k, 4);
  std::vector<ActivationBlock> blocks(columns * k / 32);
  QuantizeActivations(x.data(), columns * k, blocks.data());
  const std::vector<float> panels = Panels(x, k, columns);
  const Activations activations = {x.data(), columns, k, blocks.data(), panels.data()};
  const auto pack = [&](DType type) {
    return *PackedMatrix::Pack(type, rows, k, RandomMatrix(type, rows, k, 5).Reader(), pool);
  };
  const PackedMatrix quantized = pack(DType::kQ8_0), plain = pack(DType::kF16);
  std::vector<float> together[2], alone[2];
  for (auto* out : {&together[0], &together[1], &alone[0], &alone[1]}) out->resize(columns * rows);
  const Product both[] = {{&quantized, together[0].data(), rows}, {&plain, together[1].data(), rows}};
  MatMul(pool, activations, both, Precision::kFast);
  const Product single[] = {{&quantized, alone[0].data(), rows}, {&plain, alone[1].data(), rows}};
  for (const Product& product : single) MatMul(pool, activations, {&product, 1}, Precision::kFast);
  EXPECT_EQ(together[0], alone[0]);
  EXPECT_EQ(together[1], alone[1]);
}

std::string Name(const testing::TestParamInfo<std::tuple<DType, Isa>>& info) {
  return std::string(DTypeName(std::get<DType>(info.param))) + "_" + std::string(IsaName(std::get<Isa>(info.param)));
}
INSTANTIATE_TEST_SUITE_P(MatMul, EveryTypeAndInstructionSet,
                         testing::Combine(testing::ValuesIn(kStored), testing::ValuesIn(SupportedIsas())), Name);

TEST(PackedMatrix, RowsComeBackAsTheyWereStored) {
  ThreadPool pool(2);
  for (const DType type : kStored) {
    const size_t rows = 21, k = 512;
    const Stored stored = RandomMatrix(type, rows, k, 5);
    const auto packed = PackedMatrix::Pack(type, rows, k, stored.Reader(), pool);
    ASSERT_OK(packed);
    const std::vector<float> want = stored.Values();
    std::vector<float> row(k);
    for (size_t r = 0; r < rows; r++) {
      packed->UnpackRow(r, row.data());
      for (size_t i = 0; i < k; i++) ASSERT_EQ(row[i], want[r * k + i]) << DTypeName(type) << " row " << r << ", " << i;
    }
  }
}

TEST(PackedMatrix, TilesAreNoLargerThanTheFile) {
  ThreadPool pool(1);
  for (const DType type : kStored) {
    const Stored stored = RandomMatrix(type, 64, 1024, 5);
    const auto packed = PackedMatrix::Pack(type, 64, 1024, stored.Reader(), pool);
    ASSERT_OK(packed);
    // MXFP4's scale takes a byte more.
    EXPECT_LE(static_cast<double>(packed->bytes()), static_cast<double>(stored.bytes.size()) * 1.06) << DTypeName(type);
  }
}

TEST(PackedMatrix, AFailingReaderAndImpossibleShapesAreErrors) {
  ThreadPool pool(2);
  const RowReader broken = [](uint64_t first, uint64_t, std::span<std::byte>) -> Result<void> {
    return Fail(ErrorCode::kCorrupt, "row {}", first);
  };
  EXPECT_EQ(PackedMatrix::Pack(DType::kF32, 20, 8, broken, pool).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(PackedMatrix::Pack(DType::kQ4_0, 20, 33, broken, pool).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(PackedMatrix::Pack(DType::kF32, 0, 8, broken, pool).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(PackedMatrix::Pack(DType::kF32, uint64_t{1} << 50, uint64_t{1} << 20, broken, pool).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace bothy
