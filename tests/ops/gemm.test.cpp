#include <stlm/ops/gemm.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct Sizes {
  Index m, n, k;
};
// Single elements and rows, sizes around those of packets and tiles, more columns and depth than fit one packed block or
// one part of gemm_few_rows.
constexpr Sizes sizes[] = {{1, 1, 1},    {1, 5, 3},    {3, 4, 0},    {4, 70, 33},   {2, 9, 40},   {5, 7, 9},
                           {13, 31, 64}, {15, 33, 17}, {11, 38, 1090}, {32, 50, 390}, {64, 65, 66}, {17, 16, 810},
                           {130, 401, 5}, {300, 33, 100}};
constexpr bool both[] = {false, true};

/// A part of `rows` x `cols`, from column 3 on, of a matrix with 5 more columns.
template <class Rig>
auto strided(Rig& rig, Index rows, Index cols) {
  auto* const wider = rig.random(std::max<Index>(rows, 1), cols + 5).data();  // not null
  return MatrixView<typename Rig::Scalar>(wider + 3, rows, cols, cols + 5);
}

}  // namespace

TEST_CASE("gemm: the product, with every transpose", "[ops][gemm]") {
  Rig<ReferenceBackend, double> rig;
  const double a[] = {1, 2, 3, 4, 5, 6}, a_transposed[] = {1, 4, 2, 5, 3, 6};
  const double b[] = {1, -1, 2, 0, 0, 3}, b_transposed[] = {1, 2, 0, -1, 0, 3};
  for (const bool transpose_a : both)
    for (const bool transpose_b : both) {
      std::vector<double> c = {100, 100, 100, 100};
      const MatrixView<const double> left = transpose_a ? MatrixView<const double>{a_transposed, 3, 2, 2}
                                                        : MatrixView<const double>{a, 2, 3, 3};
      const MatrixView<const double> right = transpose_b ? MatrixView<const double>{b_transposed, 2, 3, 3}
                                                         : MatrixView<const double>{b, 3, 2, 2};
      const MatrixView<double> out{c.data(), 2, 2, 2};
      ops::gemm(rig.ctx, left, right, out, {transpose_a, transpose_b});
      CHECK(c == std::vector<double>{5, 8, 14, 14});
      ops::gemm(rig.ctx, left, right, out, {transpose_a, transpose_b, true});
      CHECK(c == std::vector<double>{10, 16, 28, 28});
    }
}

TEST_CASE("gemm: backends agree for every size and option", "[ops][gemm][parity]") {
  for (const auto [m, n, k] : sizes)
    for (const bool transpose_a : both)
      for (const bool transpose_b : both)
        for (const bool accumulate : both) {
          CAPTURE(m, n, k, transpose_a, transpose_b, accumulate);
          check_stream_op([=, m = m, n = n, k = k](auto& rig) {  // memory to be overwritten begins as NaN
            const auto a = transpose_a ? rig.random(k, m) : rig.random(m, k);
            const auto b = transpose_b ? rig.random(n, k) : rig.random(k, n);
            const auto c = accumulate ? rig.random(m, n) : rig.blank(m, n);
            ops::gemm(rig.ctx, a, b, c, {transpose_a, transpose_b, accumulate});
          });
        }
}

TEST_CASE("gemm: the same bits from any number of threads, of one panel and of several", "[ops][gemm]") {
  if constexpr (std::is_same_v<TestedBackend, EigenBackend>)
    for (const auto [m, n, k] : {Sizes{100, 130, 40}, {300, 100, 344}, {260, 600, 2000}, {256, 40, 40000}, {96, 200, 500},
                                 {96, 97, 20000}}) {  // the last two are split by columns of C
      CAPTURE(m, n, k);
      const auto product = [=, m = m, n = n, k = k](auto& rig) {
        ops::gemm(rig.ctx, rig.random(m, k), rig.random(n, k), rig.random(m, n), {false, true, true});
      };
      check_threads<float>(product);
      if (k < 1000) check_threads<float>([=, m = m, n = n, k = k](auto& rig) {
        ops::gemm<Bfloat16>(rig.ctx, rig.random(m, k), rig.random(k, n), rig.blank(m, n));
      });
    }
}

TEST_CASE("gemm: parts of wider rows, nothing beside them touched", "[ops][gemm][parity]") {
  for (const auto [m, n, k] : {Sizes{3, 6, 5}, Sizes{70, 19, 33}})
    for (const bool transpose_a : both)
      for (const bool transpose_b : both)
        for (const bool accumulate : both) {
          CAPTURE(m, n, k, transpose_a, transpose_b, accumulate);
          check_stream_op([=, m = m, n = n, k = k](auto& rig) {
            const auto a = transpose_a ? strided(rig, k, m) : strided(rig, m, k);
            const auto b = transpose_b ? strided(rig, n, k) : strided(rig, k, n);
            ops::gemm(rig.ctx, a, b, strided(rig, m, n), {transpose_a, transpose_b, accumulate});
          });
        }
}

TEST_CASE("gemm: of activations, added to the gradient of weights", "[ops][gemm][parity]") {
  for (const auto [m, n, k] : {Sizes{3, 6, 5}, Sizes{70, 19, 33}}) {
    CAPTURE(m, n, k);
    check_stream_op([=, m = m, n = n, k = k](auto& rig) {
      const auto dw = rig.random(m * n);
      ops::gemm(rig.ctx, rig.random(k, m), rig.random(k, n), MatrixView(dw.data(), m, n, n),
                {.transpose_a = true, .accumulate = true});
    });
  }
}

TEST_CASE("gemm: a batch is its products one by one", "[ops][gemm][parity]") {
  for (const auto [m, n, k] : {Sizes{1, 1, 1}, Sizes{5, 7, 9}, Sizes{70, 19, 33}})
    for (const bool transpose_a : both)
      for (const bool transpose_b : both)
        for (const bool accumulate : both) {
          CAPTURE(m, n, k, transpose_a, transpose_b, accumulate);
          check_stream_op([=, m = m, n = n, k = k](auto& rig) {
            constexpr Index count = 5;
            const auto batch = [&](Index rows, Index cols) {
              const Index step = rows * cols + 8;  // the gaps stay as they are
              return ops::MatrixBatch<typename std::decay_t<decltype(rig)>::Scalar>{
                  {rig.random(count, step).data(), rows, cols, cols}, count, step};
            };
            const auto a = transpose_a ? batch(k, m) : batch(m, k), b = transpose_b ? batch(n, k) : batch(k, n);
            ops::gemm(rig.ctx, a, b, batch(m, n), {transpose_a, transpose_b, accumulate});
          });
        }
}

TEST_CASE("gemm: of no rows", "[ops][gemm][parity]") {
  for (const bool transpose_b : both)
    check_op([=](auto& rig) {
      const auto b = transpose_b ? rig.random(5, 40) : rig.random(40, 5);
      ops::gemm(rig.ctx, rig.random(0, 40), b, rig.blank(0, 5), {.transpose_b = transpose_b});
    });
}

TEST_CASE("gemm_add: the product added to a matrix, by backends that do so", "[ops][gemm][parity]") {
  if constexpr (ops::adds_in_products<TestedBackend>)
    for (const auto [m, n, k] : sizes) {
      CAPTURE(m, n, k);
      check_stream_op([=, m = m, n = n, k = k](auto& rig) {
        const auto a = rig.random(m, k), b = rig.random(n, k), addend = rig.random(m, n), c = rig.blank(m, n);
        if constexpr (ops::adds_in_products<typename std::decay_t<decltype(rig)>::Backend>) {
          ops::gemm_add(rig.ctx, a, b, addend, c, {.transpose_b = true});
        } else {
          std::copy(addend.begin(), addend.end(), c.begin());
          ops::gemm(rig.ctx, a, b, c, {.transpose_b = true, .accumulate = true});
        }
      });
    }
}

TEST_CASE("gemm: says which shapes do not fit", "[ops][gemm]") {
  Rig<CpuBackend, float> rig;
  const auto a = rig.random(2, 3), b = rig.random(4, 5), c = rig.random(2, 5);
  CHECK_THROWS_AS(ops::gemm(rig.ctx, a, b, c), ShapeError);
  const ops::MatrixBatch<float> one{a, 1, 6}, two{a, 2, 3};
  CHECK_THROWS_AS(ops::gemm(rig.ctx, one, one, one), ShapeError);
  CHECK_THROWS_WITH(ops::gemm(rig.ctx, two, one, two),
                    "stlm::ops::gemm: expected batches of as many matrices as that of C, 2, found 2 of A and 1 of B; "
                    "give as many.");
  CHECK_THROWS_WITH(ops::gemm(rig.ctx, a, b, c, {.transpose_b = true}),
                    "stlm::ops::gemm: the product of A 2x3 and B 4x5 (transposed) does not fit C 2x5; check the widths and "
                    "the transpose options.");
}

TEST_CASE("gemm: factors rounded to Bfloat16, sums in float", "[ops][gemm][parity]") {
  for (const auto [m, n, k] : sizes)
    for (const bool transpose_a : both)
      for (const bool transpose_b : both)
        for (const bool accumulate : both) {
          CAPTURE(m, n, k, transpose_a, transpose_b, accumulate);
          const auto body = [=, m = m, n = n, k = k](auto& rig) {
            const auto a = transpose_a ? strided(rig, k, m) : strided(rig, m, k);
            const auto b = transpose_b ? strided(rig, n, k) : strided(rig, k, n);
            ops::gemm<Bfloat16>(rig.ctx, a, b, strided(rig, m, n), {transpose_a, transpose_b, accumulate});
          };
          Rig<ReferenceBackend, double> expected;
          body(expected);
          compare_op<float>(expected, body);
        }
}

TEST_CASE("gemm: a factor stored as Bfloat16 is one rounded before", "[ops][gemm]") {
  for (const auto [m, n, k] : sizes)
    for (const bool transpose_a : both)
      for (const bool transpose_b : both) {
        CAPTURE(m, n, k, transpose_a, transpose_b);
        Rig<CpuBackend, float> rig;
        const auto a = transpose_a ? rig.random(k, m) : rig.random(m, k);
        const auto b = transpose_b ? rig.random(n, k) : rig.random(k, n);
        const auto c = rig.blank(m, n), d = rig.blank(m, n);
        Buffer<Bfloat16> a_rounded(a.size()), b_rounded(b.size());
        ops::convert(rig.ctx, a, a_rounded.view());
        ops::convert(rig.ctx, b, b_rounded.view());
        ops::gemm<Bfloat16>(rig.ctx, a, b, c, {transpose_a, transpose_b});
        ops::gemm(rig.ctx, View<Bfloat16, dynamic, dynamic>(a_rounded.data(), a.extents()),
                  View<Bfloat16, dynamic, dynamic>(b_rounded.data(), b.extents()), d, {transpose_a, transpose_b});
        CHECK(std::memcmp(c.data(), d.data(), sizeof(float) * static_cast<std::size_t>(c.size())) == 0);
      }
}

#if !defined(STLM_TEST_CUDA)
TEST_CASE("gemm: rounded products have the same bits with and without an instruction for them", "[ops][gemm]") {
  for (const auto [m, n, k] : sizes)
    for (const bool transpose_a : both)
      for (const bool transpose_b : both)
        for (const bool accumulate : both) {
          CAPTURE(m, n, k, transpose_a, transpose_b, accumulate);
          Rig<CpuBackend, float> rig;
          const auto a = rig.random(m, k), b = rig.random(k, n), c = rig.random(m, n), d = rig.blank(m, n);
          std::copy(c.begin(), c.end(), d.begin());
          const auto operand = [](const float* data, bool transposed, Index rows, Index cols) {
            return transposed ? eigen::GemmOperand<float>{data, 1, rows} : eigen::GemmOperand<float>{data, cols, 1};
          };
          const auto left = operand(a.data(), transpose_a, m, k), right = operand(b.data(), transpose_b, k, n);
          float* const scratch = rig.ctx.template scratch<float>(0);
          eigen::gemm_serial<eigen::Bfloat16Product>(m, n, k, left, right, c.data(), n, accumulate, scratch);
          eigen::gemm_serial<eigen::Bfloat16AsFloat>(m, n, k, left, right, d.data(), n, accumulate, scratch);
          CHECK(std::memcmp(c.data(), d.data(), sizeof(float) * static_cast<std::size_t>(c.size())) == 0);
        }
}
#endif

TEST_CASE("gemm: up to sixteen rows, each has the bits it has alone", "[ops][gemm]") {
  for (const auto [m, n, k] : {Sizes{16, 70, 200}, Sizes{16, 33, 64}, Sizes{16, 3, 17}, Sizes{16, 37, 1500},
                               Sizes{16, 5, 20000}}) {  // the last is longer than scratch has room for
    Rig<CpuBackend, float> rig;
    const auto x = rig.random(m, k), w = rig.random(n, k), alone = rig.blank(m, n), together = rig.blank(m, n);
    Buffer<Bfloat16> rounded(w.size());
    ops::convert(rig.ctx, w, rounded.view());
    const auto check = [&, m = m, n = n, k = k](const auto& weights) {
      for (Index i = 0; i < m; ++i)
        ops::gemm(rig.ctx, View<float, dynamic, dynamic>(&x(i, 0), 1, k), weights,
                  View<float, dynamic, dynamic>(&alone(i, 0), 1, n), {.transpose_b = true});
      for (const Index rows : {2, 3, 5, 8, 15, 16}) {
        CAPTURE(rows, n, k);
        std::fill(together.begin(), together.end(), std::numeric_limits<float>::quiet_NaN());
        ops::gemm(rig.ctx, View<float, dynamic, dynamic>(x.data(), rows, k), weights,
                  View<float, dynamic, dynamic>(together.data(), rows, n), {.transpose_b = true});
        CHECK(std::memcmp(alone.data(), together.data(), sizeof(float) * static_cast<std::size_t>(rows * n)) == 0);
      }
    };
    check(w);
    check(View<Bfloat16, dynamic, dynamic>(rounded.data(), w.extents()));
  }
}

TEST_CASE("gemm: more than sixteen rows, each has the bits it has among many", "[ops][gemm]") {
  constexpr Index many = 300;
  for (const auto [m, n, k] : {Sizes{17, 64, 40}, {32, 70, 400}, {48, 51, 801}, {94, 200, 385}, {240, 241, 33}})
    for (const bool accumulate : both) {
      CAPTURE(m, n, k, accumulate);
      Rig<CpuBackend, float> rig;
      const auto x = rig.random(many, k), w = rig.random(n, k), among = rig.random(many, n), found = rig.blank(m, n);
      std::copy_n(among.data(), found.size(), found.data());
      ops::gemm(rig.ctx, x, w, among, {.transpose_b = true, .accumulate = accumulate});
      ops::gemm(rig.ctx, View<float, dynamic, dynamic>(x.data(), m, k), w, found,
                {.transpose_b = true, .accumulate = accumulate});
      CHECK(std::memcmp(among.data(), found.data(), sizeof(float) * static_cast<std::size_t>(found.size())) == 0);
    }
}

TEST_CASE("gemm: one row on a matrix by rows has the bits it has among many", "[ops][gemm]") {
  constexpr Index many = 20;
  for (const auto& [n, k] : {std::pair<Index, Index>{64, 130}, {7, 40}, {300, 801}, {150, 1}})
    for (const bool transpose_a : both)
      for (const bool accumulate : both) {
        CAPTURE(n, k, transpose_a, accumulate);
        Rig<CpuBackend, float> rig;
        const auto x = transpose_a ? rig.random(k, many) : rig.random(many, k), w = rig.random(k, n);
        const auto among = rig.random(many, n), found = rig.blank(many, n);
        std::copy_n(among.data(), found.size(), found.data());
        const ops::GemmOptions options{.transpose_a = transpose_a, .accumulate = accumulate};
        ops::gemm(rig.ctx, x, w, among, options);
        const MatrixView<float> row = transpose_a ? MatrixView<float>(x.data(), k, 1, many) : MatrixView<float>(x.data(), 1, k, k);
        const ops::MatrixBatch<float> rows{row, many, transpose_a ? 1 : k}, same{{w.data(), k, n, n}, many, 0};
        ops::gemm(rig.ctx, rows, same, ops::MatrixBatch<float>{{found.data(), 1, n, n}, many, n}, options);
        CHECK(std::memcmp(among.data(), found.data(), sizeof(float) * static_cast<std::size_t>(found.size())) == 0);
      }
}

TEST_CASE("gemm: both factors transposed, of more rows than a panel of A holds", "[ops][gemm]") {
  constexpr Index m = 512, n = 512, k = 2049;
  for (const int threads : {1, 2}) {
    Rig<CpuBackend, float> rig(threads);
    const auto a = rig.random(k, m), b = rig.random(n, k), turned = rig.blank(m, k), expected = rig.blank(m, n),
               found = rig.blank(m, n);
    for (Index i = 0; i < m; ++i)
      for (Index p = 0; p < k; ++p) turned(i, p) = a(p, i);
    ops::gemm(rig.ctx, turned, b, expected, {.transpose_b = true});
    ops::gemm(rig.ctx, a, b, found, {.transpose_a = true, .transpose_b = true});
    CHECK(std::equal(expected.begin(), expected.end(), found.begin()));
  }
}
