#include <stlm/ops/quantized.hpp>

#include <algorithm>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// A matrix of int8 made from float numbers.
template <class B>
struct Quantized {
  TestBuffer<B, std::int8_t> data;
  TestBuffer<B, float> scales;
  TestBuffer<B, std::int32_t> sums;
  QuantizedMatrix q;

  Quantized(Context<B>& ctx, View<float, dynamic, dynamic> w)
      : data(w.extent(0) * QuantizedMatrix::padded(w.extent(1))), scales(w.extent(0)), sums(w.extent(0)),
        q{data.data(), scales.data(), sums.data(), w.extent(0), w.extent(1)} {
    ops::quantize(ctx, w, q);
  }
};

/// Looks up rows of a quantised table (n, k), and multiplies x (m, k) by it. The table is made from float for every T.
template <class B, class T>
void look_up_and_multiply(Rig<B, T>& rig, Index m, Index n, Index k, bool accumulate) {
  const Quantized<B> table(rig.ctx, {rig.random(n * k).data(), n, k});
  const auto x = rig.random(m, k), y = accumulate ? rig.random(m, n) : rig.blank(m, n), looked_up = rig.blank(m, k);
  const std::vector<Token> tokens = some_tokens(m, n, {4, 4});
  ops::gemm(rig.ctx, x, table.q, y, {.transpose_b = true, .accumulate = accumulate});
  ops::embedding_forward(rig.ctx, table.q, one_row(tokens), looked_up);
}

struct Sizes {
  Index m, n, k;
};
constexpr Sizes sizes[] = {{1, 1, 1}, {1, 17, 63}, {2, 8, 64}, {3, 9, 65}, {5, 70, 200}, {16, 33, 130}, {300, 5, 7}, {1, 1000, 384}, {2, 3, 1100}, {130, 70, 256}};

}  // namespace

TEST_CASE("quantize: the largest number of a row is 127, the others to half a step", "[ops][quantized]") {
  Rig<TestedBackend, float> rig;
  const auto w = rig.random(13, 77);
  for (Index c = 0; c < 77; ++c) w(5, c) = 0;
  const Quantized<TestedBackend> q(rig.ctx, w);
  for (Index r = 0; r < 13; ++r) {
    float most = 0;
    int largest = 0;
    std::int32_t sum = 0;
    for (Index c = 0; c < 77; ++c) {
      most = std::max(most, std::abs(w(r, c)));
      largest = std::max(largest, std::abs(int{q.q.row(r)[c]}));
      sum += q.q.row(r)[c];
      CHECK(std::abs(q.q.scales[r] * static_cast<float>(q.q.row(r)[c]) - w(r, c)) <= 0.501F * q.q.scales[r]);
    }
    CHECK(q.q.scales[r] == Approx(most / 127));
    CHECK(largest == (r == 5 ? 0 : 127));
    CHECK(q.q.sums[r] == sum);
    for (Index c = 77; c < 128; ++c) CHECK(q.q.row(r)[c] == 0);
  }
}

TEST_CASE("gemm: of int8, the same bits on both backends, near the product of floats", "[ops][quantized][parity]") {
  for (const auto [m, n, k] : sizes)
    for (const bool accumulate : {false, true}) {
      CAPTURE(m, n, k, accumulate);
      Rig<TestedBackend, float> tested;
      Rig<ReferenceBackend, float> reference;
      const auto product = [&, m = m, n = n, k = k](auto& rig, auto& quantized) {
        const auto x = rig.random(m, k), y = accumulate ? rig.random(m, n) : rig.blank(m, n);
        ops::gemm(rig.ctx, x, quantized.q, y, {.transpose_b = true, .accumulate = accumulate});
        return y;
      };
      const auto w = tested.random(n, k), same = reference.random(n, k);
      Quantized<TestedBackend> fast(tested.ctx, w);
      Quantized<ReferenceBackend> plain(reference.ctx, same);
      CHECK(std::equal(fast.data.view().begin(), fast.data.view().end(), plain.data.view().begin()));
      CHECK(std::equal(fast.scales.view().begin(), fast.scales.view().end(), plain.scales.view().begin()));
      CHECK(std::equal(fast.sums.view().begin(), fast.sums.view().end(), plain.sums.view().begin()));
      const auto found = product(tested, fast), expected = product(reference, plain);
      CHECK(deviation(expected, found) < 1e-6);
      if (!accumulate) CHECK(std::equal(expected.begin(), expected.end(), found.begin()));
      for_each_order<float>([&, n = n, k = k](auto& rig) {
        Quantized<TestedBackend> q(rig.ctx, rig.random(n, k));
        CHECK(std::ranges::equal(product(rig, q), found));
      });
      Rig<ReferenceBackend, float> exact;
      const auto w_exact = exact.random(n, k), x = exact.random(m, k), y = accumulate ? exact.random(m, n) : exact.blank(m, n);
      ops::gemm(exact.ctx, x, w_exact, y, {.transpose_b = true, .accumulate = accumulate});
      CHECK(deviation(y, found) < 0.03);
    }
}

TEST_CASE("gemm, embedding_forward: of int8, with rows of Bfloat16", "[ops][quantized][parity]") {
  if constexpr (tests_bfloat16)
    for (const auto [m, n, k] : sizes)
      for (const bool accumulate : {false, true}) {
        CAPTURE(m, n, k, accumulate);
        Rig<ReferenceBackend, float> expected(1, true);
        look_up_and_multiply(expected, m, n, k, accumulate);
        Rig<TestedBackend, Bfloat16> found;
        look_up_and_multiply(found, m, n, k, accumulate);
        for (std::size_t i = 0; i < found.tensors().size(); ++i)
          CHECK(deviation(expected.tensors()[i], found.tensors()[i]) < tolerance<Bfloat16>);
        for_each_order<Bfloat16>([&, m = m, n = n, k = k](auto& rig) {
          look_up_and_multiply(rig, m, n, k, accumulate);
          check_same_bits(found, rig);
        });
      }
}

TEST_CASE("gemm: of int8, each row has the bits it has alone", "[ops][quantized]") {
  constexpr Index m = 5, n = 50, k = 130;
  for (const bool accumulate : {false, true}) {
    CAPTURE(accumulate);
    Rig<TestedBackend, float> rig;
    const Quantized<TestedBackend> q(rig.ctx, rig.random(n, k));
    const auto x = rig.random(m, k), together = rig.random(m, n), alone = rig.blank(m, n);
    std::copy(together.begin(), together.end(), alone.begin());
    const auto multiply = [&](Index first, Index rows, const auto& y) {
      ops::gemm(rig.ctx, View<float, dynamic, dynamic>(x.data() + first * k, rows, k), q.q,
                View<float, dynamic, dynamic>(y.data() + first * n, rows, n),
                {.transpose_b = true, .accumulate = accumulate});
    };
    multiply(0, m, together);
    for (Index r = 0; r < m; ++r) multiply(r, 1, alone);
    CHECK(std::ranges::equal(together, alone));
  }
}

TEST_CASE("gemm: of int8, the same bits for every number of threads", "[ops][quantized]") {
  const auto run = [](int threads) {
    Rig<TestedBackend, float> rig(threads);
    const Quantized<TestedBackend> q(rig.ctx, rig.random(999, 65));
    const auto y = rig.blank(5, 999);
    ops::gemm(rig.ctx, rig.random(5, 65), q.q, y, {.transpose_b = true});
    return std::vector<float>(y.begin(), y.end());
  };
  CHECK(run(1) == run(2));
  CHECK(run(1) == run(8));
}

TEST_CASE("gemm: of int8, NaN and infinity are not lost", "[ops][quantized]") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Rig<TestedBackend, float> rig;
    const Quantized<TestedBackend> q(rig.ctx, rig.random(9, 65));
    const auto x = rig.random(2, 65), y = rig.blank(2, 9);
    x(1, 3) = bad;
    ops::gemm(rig.ctx, x, q.q, y, {.transpose_b = true});
    CHECK(std::isfinite(y(0, 8)));
    CHECK(!std::isfinite(y(1, 8)));
  }
}

TEST_CASE("embedding_forward: rows of int8", "[ops][quantized]") {
  Rig<TestedBackend, float> rig;
  const auto table = rig.random(11, 70), y = rig.blank(3, 70);
  const Quantized<TestedBackend> q(rig.ctx, table);
  const Token tokens[] = {10, 0, 10};
  ops::embedding_forward(rig.ctx, q.q, View<const Token, dynamic, dynamic>(tokens, 1, 3), y);
  for (Index c = 0; c < 70; ++c) CHECK(std::abs(y(2, c) - table(10, c)) <= 0.501F * q.q.scales[10]);
  const auto part = rig.blank(3, 72);
  for (const Index first : {0, 1}) {
    ops::embedding_forward(rig.ctx, q.q, View<const Token, dynamic, dynamic>(tokens, 1, 3),
                           View<float, dynamic, dynamic>(part.data() + first, 3, 70));
    CHECK(std::equal(y.begin(), y.end(), part.data() + first));
  }
  const Token wrong[] = {11, 0, 0};
  CHECK_THROWS_AS(ops::embedding_forward(rig.ctx, q.q, View<const Token, dynamic, dynamic>(wrong, 1, 3), y), Error);
}

TEMPLATE_TEST_CASE("gemm: of int8, of no rows or no columns", "[ops][quantized]", ReferenceBackend, CpuBackend) {
  Rig<TestType, float> rig;
  const Quantized<TestType> no_rows(rig.ctx, rig.random(0, 70)), no_columns(rig.ctx, rig.random(9, 0));
  CHECK_NOTHROW(ops::gemm(rig.ctx, rig.random(3, 70), no_rows.q, rig.blank(3, 0), {.transpose_b = true}));
  const auto y = rig.blank(3, 9), sum = rig.random(3, 9);
  const std::vector<float> before(sum.begin(), sum.end());
  ops::gemm(rig.ctx, rig.random(3, 0), no_columns.q, y, {.transpose_b = true});
  ops::gemm(rig.ctx, rig.random(3, 0), no_columns.q, sum, {.transpose_b = true, .accumulate = true});
  for (const float number : y) CHECK(number == 0);
  CHECK(std::ranges::equal(before, sum));
}

TEST_CASE("gemm: of int8, rows without room in scratch memory are named", "[ops][quantized]") {
  if constexpr (std::is_same_v<CpuBackend, EigenBackend>) {
    Rig<CpuBackend, float> rig;
    const Index cols = (Index{4} << 20) - 1023;
    const View<const float, dynamic, dynamic> x(nullptr, 1, cols);
    CHECK_THROWS_WITH(ops::gemm(rig.ctx, x, QuantizedMatrix{nullptr, nullptr, nullptr, 1, cols}, rig.blank(1, 1),
                                {.transpose_b = true}),
                      "stlm::ops::gemm: expected rows of at most 4193280 int8, found 4193281, for which scratch memory has no "
                      "room; keep this matrix in Bfloat16.");
  }
}

TEST_CASE("gemm: of int8 only as a linear layer reads its weight", "[ops][quantized]") {
  Rig<TestedBackend, float> rig;
  const Quantized<TestedBackend> q(rig.ctx, rig.random(9, 5));
  CHECK_THROWS_AS(ops::gemm(rig.ctx, rig.random(2, 5), q.q, rig.random(2, 9), {}), ShapeError);
  CHECK_THROWS_AS(ops::gemm(rig.ctx, rig.random(2, 6), q.q, rig.random(2, 9), {.transpose_b = true}), ShapeError);
}
