#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/fused_gemm.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct Sizes {
  Index m, n, k;
};
// Few enough rows to fuse, and more; widths that are whole packets, and not.
constexpr Sizes sizes[] = {{1, 1, 8}, {1, 70, 384}, {2, 9, 1032}, {3, 5, 33}, {4, 33, 64}, {7, 40, 136}, {8, 16, 256}, {9, 24, 64}};

template <class Rig>
constexpr bool fuses = ops::fuses_few_rows<typename Rig::Backend>;

/// Memory that is not compared, since a fused product does not write it.
template <class Rig>
auto room(Rig& rig, Index rows, Index cols) {
  using T = typename Rig::Scalar;
  return MatrixView<T>(rig.template room<T>(rows * cols).data(), rows, cols, cols);
}

/// body(rig, m, n, k) on the tested backend and on the reference.
template <class Body>
void check_sizes(const Body& body) {
  if constexpr (ops::fuses_few_rows<TestedBackend>)
    for (const auto [m, n, k] : sizes) {
      CAPTURE(m, n, k);
      check_stream_op([=, m = m, n = n, k = k](auto& rig) { body(rig, m, n, k); });
    }
}

}  // namespace

TEST_CASE("rms_norm_gemm: the product of the norm", "[ops][gemm][parity]") {
  check_sizes([](auto& rig, Index m, Index n, Index k) {
    using Rig = std::decay_t<decltype(rig)>;
    using T = typename Rig::Scalar;
    const auto x = rig.random(m, k, 3), weight = rig.random(n, k), y = rig.blank(m, n);
    const auto gain = rig.random(k);
    const auto normed = room(rig, m, k);
    const View<typename Rig::Compute, dynamic> rstd = rig.template room<typename Rig::Compute>(m);
    if constexpr (fuses<Rig>) {
      ops::rms_norm_gemm(rig.ctx, ops::RowNorm<T>{gain, 1e-6, normed, rstd}, x, MatrixView<const T>(weight), MatrixView<T>(y));
    } else {
      ops::rms_norm_forward(rig.ctx, x, gain, normed, rstd, 1e-6);
      ops::gemm(rig.ctx, normed, weight, y, {.transpose_b = true});
    }
  });
}

TEST_CASE("swiglu_gemm_add: the product of a gated unit added to a matrix", "[ops][gemm][parity]") {
  check_sizes([](auto& rig, Index m, Index n, Index k) {
    using Rig = std::decay_t<decltype(rig)>;
    using T = typename Rig::Scalar;
    const auto both = rig.random(m, 2 * k), weight = rig.random(n, k), addend = rig.random(m, n), y = rig.blank(m, n);
    const MatrixView<const T> gate(both.data(), m, k, 2 * k), up(both.data() + k, m, k, 2 * k);
    const auto hidden = room(rig, m, k);
    if constexpr (fuses<Rig>) {
      ops::swiglu_gemm_add(rig.ctx, gate, up, MatrixView<const T>(weight), addend, MatrixView<T>(y), hidden);
    } else {
      ops::swiglu_forward(rig.ctx, gate, up, hidden);
      std::copy(addend.begin(), addend.end(), y.begin());
      ops::gemm(rig.ctx, hidden, weight, y, {.transpose_b = true, .accumulate = true});
    }
  });
}

TEST_CASE("rms_norm_gemm_rope_append: as the product, and its rows turned and put into caches", "[ops][gemm][rope][parity]") {
  if constexpr (!ops::fuses_few_rows<TestedBackend>) return;
  constexpr Index queries = 4, kv = 2, sequences = 6;
  const std::vector<Place> own = {{4, 9}, {0, 0}, {2, 7}, {5, 1}, {3, 3}};
  for (const RopePairs pairs : {RopePairs::kAdjacent, RopePairs::kHalfSplit})
    for (const auto& [batch, tokens] : {std::pair<Index, Index>{1, 1}, {3, 1}, {2, 4}, {5, 2}})
      for (const Index size : {2, 6, 64})
        for (const Place* const at : {own.data(), static_cast<const Place*>(nullptr)}) {
          CAPTURE(static_cast<int>(pairs), batch, tokens, size, at != nullptr);
          check_stream_op([=, batch = batch, tokens = tokens](auto& rig) {
            using Rig = std::decay_t<decltype(rig)>;
            using T = typename Rig::Scalar;
            const Index k = 40, rows = batch * tokens, capacity = 9 + tokens;
            const Index cols = kv * size, width = queries * size + 2 * cols;
            const auto x = rig.random(rows, k, 3), weight = rig.random(width, k), out = rig.blank(rows, queries * size);
            const auto keys = rig.random(sequences * capacity, cols), values = rig.random(sequences * capacity, cols);
            const auto gain = rig.random(k);
            const MatrixView<T> y = room(rig, rows, width), normed = room(rig, rows, k);
            const View<typename Rig::Compute, dynamic> rstd = rig.template room<typename Rig::Compute>(rows);
            const ops::RowNorm<T> norm{gain, 1e-6, normed, rstd};
            const HeadsView<T> turned{y.data, queries + kv, size, tokens * width, width};
            const auto cache = [&](const auto& all) { return HeadsView<T>{all.data(), kv, size, capacity * cols, cols}; };
            const ops::RopeOptions options{.batch = batch, .tokens = tokens, .position = 5, .pairs = pairs, .places = at};
            if constexpr (fuses<Rig>) {
              ops::rms_norm_gemm_rope_append(rig.ctx, norm, x, MatrixView<const T>(weight), y, queries, options, cache(keys),
                                             cache(values), sequences);
              ops::copy_rows(rig.ctx, MatrixView<const T>(y.data, rows, queries * size, width), MatrixView<T>(out));
            } else {
              ops::rms_norm_forward(rig.ctx, x, gain, normed, rstd, 1e-6);
              ops::gemm(rig.ctx, normed, weight, y, {.transpose_b = true});
              ops::rope(rig.ctx, turned, options);
              for (Index n = 0; n < rows; ++n) {
                const Place place = Places{at, 5}(n / tokens);
                const Index row = place.sequence * capacity + place.position + n % tokens, key = queries * size;
                std::copy_n(&y(n, 0), key, &out(n, 0));
                std::copy_n(&y(n, key), cols, &keys(row, 0));
                std::copy_n(&y(n, key + cols), cols, &values(row, 0));
              }
            }
          });
        }
}

TEST_CASE("fused products: say which shapes do not fit", "[ops][gemm]") {
  const auto check = [](auto&& rig) {
    if constexpr (fuses<std::decay_t<decltype(rig)>>) {
      const auto x = rig.random(2, 8), w = rig.random(3, 16), y = rig.random(2, 3);
      const MatrixView<const float> weight(w);
      const ops::RowNorm<float> norm{rig.random(8), 1e-6, x, rig.random(2)};
      CHECK_THROWS_WITH(ops::rms_norm_gemm(rig.ctx, norm, x, weight, MatrixView<float>(y)),
                        "stlm::ops::rms_norm_gemm: x 2x8, gain 8, W 3x16 and y 2x3 do not fit; check the widths.");
      CHECK_THROWS_WITH(ops::swiglu_gemm_add(rig.ctx, x, x, weight, y, MatrixView<float>(y), MatrixView<float>(x)),
                        "stlm::ops::swiglu_gemm_add: gate 2x8, up 2x8, W 3x16, addend 2x3 and y 2x3 do not fit; "
                        "check the widths.");
      const HeadsView<float> cache{w.data(), 1, 8, 8, 8};
      const MatrixView<float> to(y);
      CHECK_THROWS_WITH(ops::rms_norm_gemm_rope_append(rig.ctx, norm, x, weight, to, 1, {1, 2}, cache, cache, 1),
                        "stlm::ops::rms_norm_gemm_rope_append: expected 2 rows of 1 heads of queries and 2 times 1 of 8 "
                        "numbers, found y 2x3; check the shapes.");
    }
  };
  check(Rig<TestedBackend, float>());
}
