// What the matrix product kernels reach: operations per second with many columns, bytes per second with one.
//
//   matmul_bench [threads] [type...]
//
// Weights are random bytes with sane scales; speed does not depend on them. One column goes through more weights than
// any cache holds.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <random>
#include <vector>

#include "tensor/isa.h"
#include "tensor/matmul.h"
#include "tensor/ops.h"

namespace bothy {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

PackedMatrix Random(DType type, size_t rows, size_t columns, ThreadPool& pool) {
  const RowReader reader = [](uint64_t first, uint64_t, std::span<std::byte> out) -> Result<void> {
    std::minstd_rand random(static_cast<uint32_t>(first + 1));
    // Small in every format: no exponent of an f16 or f32 has its high bits set.
    for (std::byte& b : out) b = static_cast<std::byte>(random() & 0x2f);
    return {};
  };
  auto packed = PackedMatrix::Pack(type, rows, columns, reader, pool);
  CHECK(packed);
  return *std::move(packed);
}

double MedianSeconds(int repeats, const std::function<void()>& run) {
  std::vector<double> seconds;
  run();
  for (int i = 0; i < repeats; i++) {
    const double start = Now();
    run();
    seconds.push_back(Now() - start);
  }
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 2];
}

void Measure(DType type, ThreadPool& pool) {
  constexpr size_t kRows = 5632, kDepth = 2048;
  std::string line = fmt::format("{:8}", DTypeName(type));
  {
    const PackedMatrix w = Random(type, kRows, kDepth, pool);
    for (const size_t columns : {size_t{4}, size_t{8}, size_t{64}, size_t{512}}) {
      std::vector<float> x(columns * kDepth, 0.5f), out(columns * kRows);
      std::vector<ActivationBlock> blocks(columns * kDepth / 32);
      QuantizeActivations(x.data(), x.size(), blocks.data());
      const Product product = {&w, out.data(), kRows};
      const Activations view = {x.data(), columns, kDepth, blocks.data(), x.data()};
      const double seconds =
          MedianSeconds(columns > 100 ? 9 : 30, [&] { MatMul(pool, view, {&product, 1}, Precision::kFast); });
      line += fmt::format("  {} columns {:5.0f} GOP/s", columns,
                          2.0 * static_cast<double>(kRows * kDepth * columns) / seconds / 1e9);
    }
  }
  std::vector<PackedMatrix> many;
  size_t bytes = 0;
  while (bytes < size_t{400} << 20) {
    many.push_back(Random(type, kRows, kDepth, pool));
    bytes += many.back().bytes();
  }
  std::vector<float> x(kDepth, 0.5f), out(kRows);
  std::vector<ActivationBlock> blocks(kDepth / 32);
  QuantizeActivations(x.data(), x.size(), blocks.data());
  const double seconds = MedianSeconds(9, [&] {
    for (const PackedMatrix& w : many) {
      const Product product = {&w, out.data(), kRows};
      MatMul(pool, {x.data(), 1, kDepth, blocks.data()}, {&product, 1}, Precision::kFast);
    }
  });
  fmt::print("{}  1 column {:5.1f} GB/s\n", line, static_cast<double>(bytes) / seconds / 1e9);
}

}  // namespace
}  // namespace bothy

int main(int argc, char** argv) {
  using namespace bothy;
  ThreadPool pool(argc > 1 ? std::atoi(argv[1]) : 0);
  fmt::print("{} threads, {}\n", pool.threads(), IsaName(CurrentIsa()));
  std::vector<DType> types;
  for (int i = 2; i < argc; i++) {
    const auto type = DTypeFromName(argv[i]);
    if (!type) {
      fmt::print(stderr, "unknown type {}\n", argv[i]);
      return 2;
    }
    types.push_back(*type);
  }
  if (types.empty()) {
    types = {DType::kQ4_0, DType::kQ4_1, DType::kQ4_K, DType::kQ6_K, DType::kQ8_0, DType::kF16, DType::kF32};
  }
  for (const DType type : types) Measure(type, pool);
}
