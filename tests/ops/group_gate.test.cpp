#include <stlm/ops/group_gate.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("group_gate: softmax of the logits, one gate for each group of columns and each span of rows", "[ops][group_gate]") {
  Rig<ReferenceBackend, double> rig;
  double gates[] = {0, std::log(3.0), 800, 800};
  const double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  const auto y = rig.blank(4, 4);
  ops::group_gate_forward(rig.ctx, View<double, 2, 2>(gates), View<const double, 4, 4>(x), 8, y);
  CHECK(gates[0] == Approx(0.25).epsilon(1e-15));
  CHECK(gates[1] == Approx(0.75).epsilon(1e-15));
  CHECK(gates[2] == 0.5);
  const double expected[] = {2, 4, 18, 24, 10, 12, 42, 48, 36, 40, 44, 48, 52, 56, 60, 64};
  for (Index i = 0; i < 16; ++i) CHECK(y.data()[i] == Approx(expected[i]).epsilon(1e-14));
}

TEST_CASE("group_gate: backends agree", "[ops][group_gate][parity]") {
  for (const auto& [rows, experts, width, span] :
       {std::array<Index, 4>{1, 2, 1, 1}, {5, 3, 4, 1}, {300, 4, 17, 1}, {6, 2, 5, 3}, {130, 3, 70, 65}, {40, 8, 3, 40}, {96, 4, 16, 1},
        {600, 5, 8, 300}, {40, 2, 260, 20}, {9, 1, 400, 3}}) {
    CAPTURE(rows, experts, width, span);
    check_stream_op([=, n = rows, e = experts, c = experts * width, m = rows / span](auto& rig) {
      const auto gates = rig.random(m, e, 4), x = rig.random(n, c), y = rig.blank(n, c);
      const auto d = rig.random(n, c), dlogits = rig.blank(m, e);
      ops::group_gate_forward(rig.ctx, gates, x, 0.5, y);
      ops::group_gate_backward(rig.ctx, gates, x, 0.5, d, dlogits);
    });
  }
}

TEST_CASE("group_gate: what has a logit of -infinity has no part, wherever it stands", "[ops][group_gate][parity]") {
  for (const Index none : {0, 1, 2})
    check_stream_op([=]<class Rig>(Rig& rig) {
      const auto gates = rig.random(2, 3), x = rig.random(2, 6), y = rig.blank(2, 6);
      gates(1, none) = typename Rig::Scalar(-std::numeric_limits<float>::infinity());
      ops::group_gate_forward(rig.ctx, gates, x, 0.5, y);
    });
}

TEST_CASE("group_gate: shapes that do not fit are named", "[ops][group_gate]") {
  Rig<ReferenceBackend, float> rig;
  const auto gates = rig.random(2, 3), x = rig.random(4, 6), odd = rig.random(4, 7), rows = rig.random(3, 6);
  CHECK_THROWS_AS(ops::group_gate_forward(rig.ctx, gates, odd, 1, odd), ShapeError);
  CHECK_THROWS_AS(ops::group_gate_forward(rig.ctx, rig.random(2, 0), x, 1, x), ShapeError);
  CHECK_THROWS_WITH(ops::group_gate_forward(rig.ctx, gates, rows, 1, rows),
                    "stlm::ops::group_gate_forward: expected rows and columns in multiples of the gates' and equal shapes, "
                    "found gates 2x3, rows 3x6 and 3x6; give such.");
  CHECK_THROWS_AS(ops::group_gate_backward(rig.ctx, gates, x, 1, x, rows), ShapeError);
  CHECK_THROWS_AS(ops::group_gate_backward(rig.ctx, gates, x, 1, x, rig.random(3, 2)), ShapeError);
  CHECK_THROWS_AS(ops::group_gate_backward(rig.ctx, gates, x, 1, x, rig.random(6)), ShapeError);
}
