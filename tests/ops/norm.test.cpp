#include <stlm/ops/norm.hpp>

#include <algorithm>

#include <stlm/ops/elementwise.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

constexpr std::pair<Index, Index> shapes[] = {{0, 8}, {1, 1}, {1, 64}, {7, 5}, {33, 100}, {300, 33},
                                             {9, 520}, {5, 1000}, {3, 1280}};  // rows x columns

}  // namespace

TEST_CASE("rms_norm: g x / sqrt(mean(x^2) + eps)", "[ops][norm]") {
  Rig<ReferenceBackend, double> rig;
  const double x[] = {3, 4, 0, 0}, gain[] = {1, 2, 3, 4};
  const auto y = rig.blank(1, 4);
  const auto rstd = rig.blank(1);
  ops::rms_norm_forward(rig.ctx, View<const double, 1, 4>(x), View<const double, 4>(gain), y, rstd, 0.01);
  const double r = 1 / std::sqrt(25.0 / 4 + 0.01);
  CHECK(rstd(0) == Approx(r).epsilon(1e-15));
  CHECK(y(0, 0) == Approx(3 * r).epsilon(1e-15));
  CHECK(y(0, 1) == Approx(8 * r).epsilon(1e-15));
}

TEST_CASE("layer_norm: g (x - mean) / sqrt(variance + eps) + b", "[ops][norm]") {
  Rig<ReferenceBackend, double> rig;
  const double x[] = {1, 3}, gain[] = {2, 5}, bias[] = {10, 20};
  const auto y = rig.blank(1, 2);
  const auto mean = rig.blank(1), rstd = rig.blank(1);
  ops::layer_norm_forward(rig.ctx, View<const double, 1, 2>(x), View<const double, 2>(gain), View<const double, 2>(bias), y,
                          mean, rstd, 3);
  CHECK(mean(0) == 2);
  CHECK(rstd(0) == 0.5);
  CHECK(y(0, 0) == 2 * -0.5 + 10);
  CHECK(y(0, 1) == 5 * 0.5 + 20);
}

TEST_CASE("rms_norm: backends agree", "[ops][norm][parity]") {
  for (const auto& [rows, cols] : shapes)
    for (const bool accumulate : {false, true}) {
      CAPTURE(rows, cols, accumulate);
      check_stream_op([=, n = rows, c = cols](auto& rig) {
        const auto x = rig.random(n, c), y = rig.blank(n, c), dy = rig.random(n, c);
        const auto dx = accumulate ? rig.random(n, c) : rig.blank(n, c);
        const auto gain = rig.random(c), dgain = rig.random(c), rstd = rig.blank(n);
        ops::rms_norm_forward(rig.ctx, x, gain, y, rstd, 1e-6);
        ops::rms_norm_backward(rig.ctx, x, gain, rstd, dy, dx, dgain, accumulate);
      });
    }
}

TEST_CASE("add_rms_norm: the sum and the norm of it, in place or not; backends agree", "[ops][norm][parity]") {
  for (const auto& [rows, cols] : shapes)
    for (const bool in_place : {false, true}) {
      CAPTURE(rows, cols, in_place);
      check_stream_op([=, n = rows, c = cols](auto& rig) {
        const auto x = rig.random(n, c), addend = rig.random(n, c), y = rig.blank(n, c);
        const auto sum = in_place ? x : rig.blank(n, c);
        ops::add_rms_norm_forward(rig.ctx, x, addend, rig.random(c), sum, y, rig.blank(n), 1e-6);
      });
      Rig<CpuBackend, float> rig;
      const auto x = rig.random(rows, cols), addend = rig.random(rows, cols), sum = rig.blank(rows, cols);
      const auto y = rig.blank(rows, cols), expected_y = rig.blank(rows, cols), expected_sum = rig.blank(rows, cols);
      const auto gain = rig.random(cols), rstd = rig.blank(rows), expected_rstd = rig.blank(rows);
      ops::add(rig.ctx, x, addend, expected_sum);
      ops::rms_norm_forward(rig.ctx, expected_sum, gain, expected_y, expected_rstd, 1e-6);
      ops::add_rms_norm_forward(rig.ctx, x, addend, gain, in_place ? x : sum, y, rstd, 1e-6);
      CHECK(std::ranges::equal(in_place ? x : sum, expected_sum));
      CHECK(std::ranges::equal(y, expected_y));
      CHECK(std::ranges::equal(rstd, expected_rstd));
    }
}

TEST_CASE("layer_norm: backends agree", "[ops][norm][parity]") {
  for (const auto& [rows, cols] : shapes)
    for (const bool accumulate : {false, true})
      for (const bool with_bias : {false, true}) {
        CAPTURE(rows, cols, accumulate, with_bias);
        check_stream_op([=, n = rows, c = cols](auto& rig) {
          const auto x = rig.random(n, c), y = rig.blank(n, c), dy = rig.random(n, c);
          const auto dx = accumulate ? rig.random(n, c) : rig.blank(n, c);
          const auto gain = rig.random(c), dgain = rig.random(c), mean = rig.blank(n), rstd = rig.blank(n);
          const auto bias = with_bias ? rig.random(c) : decltype(rig.random(c)){};
          const auto dbias = with_bias ? rig.random(c) : decltype(rig.random(c)){};
          const double eps = c > 1 ? 1e-5 : 0.1;  // one column equals its mean: rstd multiplies a rounding error
          ops::layer_norm_forward(rig.ctx, x, gain, bias, y, mean, rstd, eps);
          ops::layer_norm_backward(rig.ctx, x, gain, mean, rstd, dy, dx, dgain, dbias, accumulate);
        });
      }
}

TEMPLATE_TEST_CASE("norms: rows of no columns have gradients of none", "[ops][norm]", ReferenceBackend, CpuBackend) {
  Rig<TestType, float> rig;
  const auto none = rig.random(3, 0);
  const auto gain = rig.random(0), mean = rig.random(3), rstd = rig.random(3);
  CHECK_NOTHROW(ops::rms_norm_backward(rig.ctx, none, gain, rstd, none, none, gain, false));
  CHECK_NOTHROW(ops::layer_norm_backward(rig.ctx, none, gain, mean, rstd, none, none, gain, gain, false));
}

TEST_CASE("norms: rows without room in scratch memory are named", "[ops][norm]") {
  if constexpr (std::is_same_v<CpuBackend, EigenBackend>) {
    Rig<CpuBackend, float> rig;
    const auto x = rig.random(1, (1 << 20) + 1);
    const View<float, dynamic> gain(x.data(), x.size());
    CHECK_THROWS_WITH(ops::rms_norm_backward(rig.ctx, x, gain, rig.random(1), x, x, gain, false),
                      "stlm::EigenBackend: expected the gradients of a norm or a learned activation to be at most 1048576 "
                      "numbers, found 1048577, for which scratch memory has no room; use fewer columns or units.");
  }
}

TEST_CASE("norms: shapes that do not fit are named", "[ops][norm]") {
  Rig<ReferenceBackend, float> rig;
  const auto x = rig.random(2, 3), y = rig.random(2, 3);
  const auto four = rig.random(4), two = rig.random(2);
  CHECK_THROWS_WITH(ops::rms_norm_forward(rig.ctx, x, four, y, two, 1e-6),
                    "stlm::ops::rms_norm_forward: x 2x3, gain 4, y 2x3, one statistic a row expected, room for 2 found; "
                    "make the widths equal, and give room.");
  CHECK_THROWS_AS(ops::layer_norm_forward(rig.ctx, x, two, two, y, two, two, 1e-5), ShapeError);
  const auto three = rig.random(3), stats = rig.random(2);
  const auto wide = rig.random(3, 3);
  const View<float, dynamic> none;
  CHECK_THROWS_AS(ops::layer_norm_forward(rig.ctx, x, three, two, y, stats, stats, 1e-5), ShapeError);
  CHECK_THROWS_AS(ops::layer_norm_forward(rig.ctx, x, three, three, y, three, stats, 1e-5), ShapeError);
  CHECK_THROWS_AS(ops::rms_norm_backward(rig.ctx, x, three, stats, y, y, two, false), ShapeError);
  CHECK_THROWS_AS(ops::rms_norm_backward(rig.ctx, x, three, stats, y, wide, three, false), ShapeError);
  CHECK_THROWS_AS(ops::layer_norm_backward(rig.ctx, x, three, stats, stats, y, y, three, two, false), ShapeError);
  CHECK_THROWS_AS(ops::layer_norm_backward(rig.ctx, x, three, stats, stats, y, wide, three, none, false), ShapeError);
  CHECK_THROWS_WITH(
      ops::add_rms_norm_forward(rig.ctx, x, rig.random(2, 4), rig.random(3), x, y, two, 1e-6),
      "stlm::ops::add_rms_norm_forward: x 2x4, gain 3, y 2x3, one statistic a row expected, room for 2 found; "
      "make the widths equal, and give room.");
}
