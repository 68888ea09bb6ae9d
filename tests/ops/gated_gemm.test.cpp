#include <stlm/ops/gated_gemm.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

template <class V>
auto half(const V& both, Index part) {
  using T = typename V::value_type;
  const Index width = both.extent(1) / 2;
  return MatrixView<T>(both.data() + part * width, both.extent(0), width, 2 * width);
}
template <class V>
auto matrix(const V& x) {
  return MatrixView<typename V::value_type>(x);
}

/// Forward and backward of a gated layer (n rows, k -> 2 width -> k): one call for each gives the same bits as two.
template <class Rig>
void check_passes(Rig& rig, Index n, Index width, Index k) {
  const auto same = [](const auto& a, const auto& b) { CHECK(std::equal(a.begin(), a.end(), b.begin())); };
  const auto x = rig.random(n, k), weight = rig.random(2 * width, k, 0.3), down = rig.random(k, width, 0.3);
  const auto both = rig.blank(n, 2 * width), both2 = rig.blank(n, 2 * width), y = rig.blank(n, width),
             y2 = rig.blank(n, width);
  ops::gemm_swiglu(rig.ctx, x, weight, matrix(both), half(both, 0), half(both, 1), matrix(y));
  ops::gemm(rig.ctx, x, weight, both2, {.transpose_b = true});
  ops::swiglu_forward(rig.ctx, half(both2, 0), half(both2, 1), y2);
  same(both, both2);
  same(y, y2);

  const MatrixView<const typename Rig::Scalar> up_weight(weight.data() + width * k, width, k, k);
  ops::gemm_swiglu(rig.ctx, x, up_weight, half(both2, 1), half(both2, 0), half(both2, 1), matrix(y2));
  same(both, both2);
  same(y, y2);

  ops::gemm_swiglu_backward(rig.ctx, x, down, half(both, 0), half(both, 1), matrix(y));
  ops::gemm(rig.ctx, x, down, y2);
  ops::swiglu_backward(rig.ctx, half(both2, 0), half(both2, 1), y2, half(both2, 0), half(both2, 1), y2);
  same(both, both2);
  same(y, y2);
}

}  // namespace

TEST_CASE("gated products: a product and its unit in one pass", "[ops][gemm][parity]") {
  for (const auto [n, width, k] : {std::array<Index, 3>{1, 24, 16}, {37, 33, 20}, {300, 43, 24}}) {
    CAPTURE(n, width, k);
    check_stream_op([=, n = n, width = width, k = k](auto& rig) { check_passes(rig, n, width, k); });
  }
}

TEST_CASE("gated products: many rows, by any threads", "[ops][gemm]") {
  if constexpr (ops::hands_rows_on<TestedBackend>)
    // Pieces of work with all columns; then rows that are handed on late, as B is packed in parts by columns, or by k.
    for (const auto [n, width, k] : {std::array<Index, 3>{1000, 70, 16}, {256, 520, 1030}, {256, 16, 33000}})
      for (const int threads : {1, 3}) {
        CAPTURE(n, width, k, threads);
        Rig<TestedBackend, float> rig(threads);
        check_passes(rig, n, width, k);
      }
}

TEST_CASE("gated products: shapes that do not fit are named", "[ops][gemm]") {
  Rig<ReferenceBackend, float> rig;
  const auto x = rig.random(3, 4), weight = rig.random(10, 4), down = rig.random(4, 5), both = rig.blank(3, 10),
             y = rig.blank(3, 5), wide = rig.blank(3, 6), low = rig.blank(2, 5);
  const auto gate = half(both, 0), up = half(both, 1);
  CHECK_THROWS_AS(ops::gemm_swiglu(rig.ctx, x, weight, matrix(both), gate, up, matrix(wide)), ShapeError);
  CHECK_THROWS_AS(ops::gemm_swiglu(rig.ctx, x, down, matrix(both), gate, up, matrix(y)), ShapeError);
  CHECK_THROWS_WITH(ops::gemm_swiglu(rig.ctx, x, weight, matrix(both), matrix(low), matrix(low), matrix(low)),
                    "stlm::ops::gemm_swiglu: C has 3 rows, y 2; give as many.");
  CHECK_THROWS_AS(ops::gemm_swiglu_backward(rig.ctx, x, down, gate, half(wide, 0), matrix(y)), ShapeError);
  CHECK_THROWS_AS(ops::gemm_swiglu_backward(rig.ctx, x, weight, gate, up, matrix(y)), ShapeError);
}
