#include <stlm/backend/cuda/lt_products.hpp>

#include <cmath>
#include <cstring>
#include <vector>

#include <stlm/core/random.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

/// A matrix with rows that are `gap` numbers longer in memory; host and device hold the same numbers.
template <class F>
struct Matrix {
  Index rows, cols, stride;
  std::vector<F> host;
  Buffer<F, DeviceSpace> device;

  Matrix(Index rows_, Index cols_, Index gap, std::uint64_t seed)
      : rows(rows_),
        cols(cols_),
        stride(cols_ + gap),
        host(static_cast<std::size_t>(rows * stride)),
        device(rows * stride) {
    for (std::size_t i = 0; i < host.size(); ++i) host[i] = F(2 * random_uniform(RandomKey::from_seed(seed), i) - 1);
    gpu::check(cudaMemcpy(device.data(), host.data(), device.bytes(), cudaMemcpyDefault), "cudaMemcpy");
  }
  MatrixView<F> view() const { return {device.data(), rows, cols, stride}; }
  double operator()(Index r, Index c) const { return double{float(host[static_cast<std::size_t>(r * stride + c)])}; }
  std::vector<F> result() const {
    std::vector<F> copy(host.size());
    gpu::check(cudaMemcpy(copy.data(), device.data(), device.bytes(), cudaMemcpyDefault), "cudaMemcpy");
    return copy;
  }
};

struct Sizes {
  Index m, n, k;
};
constexpr Sizes sizes[] = {{1, 1, 1}, {1, 5, 3}, {3, 4, 0}, {13, 31, 64}, {130, 401, 5}, {64, 512, 384}};
constexpr bool both[] = {false, true};

template <class F, class T = float>
std::vector<T> check_product(gpu::LtProducts& products, Sizes size, ops::GemmOptions options, Index gap,
                                 double most) {
  const auto [m, n, k] = size;
  const gpu::Stream stream;
  const Matrix<F> a(options.transpose_a ? k : m, options.transpose_a ? m : k, gap, 1);
  const Matrix<F> b(options.transpose_b ? n : k, options.transpose_b ? k : n, gap, 2);
  const Matrix<T> c(m, n, gap, 3);
  products.run<F, T>(stream, a.view(), b.view(), c.view(), options.accumulate ? c.view().data : nullptr, options);
  stream.synchronize();
  const std::vector<T> result = c.result();
  double worst = 0;
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < c.stride; ++j) {
      double sum = j >= n || options.accumulate ? c(i, j) : 0;  // j >= n lies beside the matrix: must be untouched
      for (Index p = 0; j < n && p < k; ++p)
        sum += (options.transpose_a ? a(p, i) : a(i, p)) * (options.transpose_b ? b(j, p) : b(p, j));
      const float found = result[static_cast<std::size_t>(i * c.stride + j)];
      if (const double off = std::abs(sum - double{found}); off > worst || std::isnan(off)) worst = off;
    }
  CHECK(worst <= most);
  return result;
}

template <class F, class T = float>
void check_all(gpu::LtProducts& products, double most) {
  for (const Sizes& size : sizes)
    for (const bool transpose_a : both)
      for (const bool transpose_b : both)
        for (const bool accumulate : both)
          for (const Index gap : {0, 5}) {
            CAPTURE(size.m, size.n, size.k, transpose_a, transpose_b, accumulate, gap);
            check_product<F, T>(products, size, {transpose_a, transpose_b, accumulate}, gap, most);
          }
}

}  // namespace

TEST_CASE("LtProducts: float and Bfloat16, every transpose, stride and accumulation", "[backend][cuda]") {
  gpu::LtProducts products;
  check_all<float>(products, 1e-4);     // sums of up to 384 products of numbers below 1
  check_all<Bfloat16>(products, 2e-4);  // products are exact; tensor cores truncate sums, other units round them
}

TEST_CASE("LtProducts: a product of Bfloat16 as Bfloat16, rounded once", "[backend][cuda]") {
  gpu::LtProducts products;
  check_all<Bfloat16, Bfloat16>(products, 64 * 0x1p-9);  // sums are below 64, where no number is further from a Bfloat16
}

TEST_CASE("LtProducts: TF32 rounds factors to 11 bits", "[backend][cuda]") {
  gpu::LtProducts products({.tf32 = true});
  check_all<float>(products, 384 * 0x1p-11);
}

TEST_CASE("LtProducts: the same bits in every run", "[backend][cuda]") {
  const Sizes deep{32, 64, 16384};  // few tiles and much depth, for which k is split
  const auto run = [&] {
    gpu::LtProducts products;
    return check_product<Bfloat16>(products, deep, {}, 0, 5e-2);
  };
  const std::vector<float> first = run();
  for (int i = 0; i < 3; ++i) CHECK(run() == first);
}

TEST_CASE("LtProducts: tuning adds to C once, and takes memory for that alone, as much as C has", "[backend][cuda]") {
  const Sizes size{64, 512, 384};
  gpu::LtProducts tuned({.tune = true});
  check_product<Bfloat16, Bfloat16>(tuned, size, {}, 0, 64 * 0x1p-9);
  CHECK(tuned.most_tuning_bytes() == 0);
  check_product<Bfloat16, Bfloat16>(tuned, size, {.accumulate = true}, 0, 64 * 0x1p-9);
  CHECK(tuned.most_tuning_bytes() == 64 * 512 * sizeof(Bfloat16));
  check_product<Bfloat16>(tuned, size, {.accumulate = true}, 0, 2e-4);
  CHECK(tuned.most_tuning_bytes() == 64 * 512 * sizeof(float));
}

TEST_CASE("LtProducts: what was tuned is found again in a file", "[backend][cuda]") {
  const std::string path = "lt_products.test.algorithms";
  const Sizes size{512, 384, 256};
  gpu::LtProducts tuned({.tune = true});
  check_product<Bfloat16>(tuned, size, {}, 0, 2e-4);
  const std::vector<float> expected = check_product<Bfloat16>(tuned, size, {}, 0, 2e-4);
  tuned.save(path);
  gpu::LtProducts loaded;
  loaded.load(path);
  CHECK(check_product<Bfloat16>(loaded, size, {}, 0, 2e-4) == expected);
  std::remove(path.c_str());
}
