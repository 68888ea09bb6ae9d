// The three products of a linear layer at the shapes of small models:
//
//   forward   y (M, N)  = x W^T         M = 256, 2048, 8192 rows
//   weights   dW (N, K) += dy^T x       K = d = 128, 256, 512
//   input     dx (M, K) = dy W          N = d, 3 d, 4 d, 256
//
// gemm/linear is the geometric mean of `of_fma` over the products that ran before it with the same number of threads, and
// gemm/linear/eigen that of plain Eigen's products. Eigen uses threads when the compiler has OpenMP.
#include <cmath>
#include <map>
#include <set>

#include <stlm/ops/gemm.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Index, bench::Numbers;

enum class Product { kForward, kWeights, kInput };

/// The fraction of the peak of each shape, by group: "/threads:N" for stlm, "/eigen/threads:N" for plain Eigen.
std::map<std::string, std::map<std::string, double>> fractions;
std::string group(const char* system, int threads) {
  return system + std::string("/threads:") + std::to_string(threads);
}

struct Linear {
  Numbers x, w, y;
  Linear(Index m, Index n, Index k) : x(m, k), w(n, k), y(m, n) {}

  void ours(bench::Context& ctx, Product product) const {
    using stlm::ops::gemm;
    if (product == Product::kForward) gemm(ctx, x.view(), w.view(), y.view(), {.transpose_b = true});
    if (product == Product::kWeights)
      gemm(ctx, y.view(), x.view(), w.view(), {.transpose_a = true, .accumulate = true});
    if (product == Product::kInput) gemm(ctx, y.view(), w.view(), x.view());
  }
  void plain(Product product) const {
    if (product == Product::kForward) y.matrix().noalias() = x.matrix() * w.matrix().transpose();
    if (product == Product::kWeights) w.matrix().noalias() += y.matrix().transpose() * x.matrix();
    if (product == Product::kInput) x.matrix().noalias() = y.matrix() * w.matrix();
  }
};

void add_product(const char* name, Product product, Index m, Index n, Index k) {
  const double mn = static_cast<double>(m * n), mk = static_cast<double>(m * k), nk = static_cast<double>(n * k);
  const bench::Work work{.flops = 2 * mn * static_cast<double>(k), .bytes = 4 * (mn + mk + nk)};
  const std::string shape = bench::sized(name, {m, n, k});
  bench::add_body("gemm/" + shape, 2, [=](benchmark::State& state, int threads) {
    bench::Context ctx({.threads = threads});
    const Linear data(m, n, k);
    fractions[group("", threads)][shape] = bench::measure(state, threads, work, [&] { data.ours(ctx, product); });
  });
#if defined(EIGEN_HAS_OPENMP)
  constexpr int most = 2;
#else
  constexpr int most = 1;
#endif
  bench::add_body("gemm/" + shape + "/eigen", most, [=](benchmark::State& state, int threads) {
    Eigen::setNbThreads(threads);
    const Linear data(m, n, k);
    fractions[group("/eigen", threads)][shape] = bench::measure(state, threads, work, [&] { data.plain(product); });
  });
}

void add_mean(const char* system) {
  bench::add_body(std::string("gemm/linear") + system, 2, [system](benchmark::State& state, int threads) {
    double logarithms = 0, count = 0;
    for (const auto& [shape, fraction] : fractions[group(system, threads)]) {
      logarithms += std::log(fraction);
      ++count;
    }
    if (count == 0) return state.SkipWithError("no product ran before; let --benchmark_filter name some: gemm");
    for (auto _ : state) benchmark::ClobberMemory();
    state.counters["of_fma"] = std::exp(logarithms / count);
    state.counters["products"] = count;
  })->Iterations(1);
}

const bench::Suite products([] {
  for (const Index m : {256, 2048, 8192})
    for (const Index d : {128, 256, 512})
      for (const Index n : std::set<Index>{d, 3 * d, 4 * d, 256}) {
        add_product("forward", Product::kForward, m, n, d);
        add_product("weights", Product::kWeights, m, n, d);
        add_product("input", Product::kInput, m, n, d);
      }
  add_mean("");
  add_mean("/eigen");
});

}  // namespace
