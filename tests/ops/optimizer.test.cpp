#include <stlm/ops/optimizer.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("adamw: the first two steps by hand", "[ops][optimizer]") {
  Rig<ReferenceBackend, double> rig;
  const auto w = rig.random(1), g = rig.random(1), m = rig.random(1), v = rig.random(1);
  w(0) = 2, g(0) = 0.5, m(0) = 0, v(0) = 0;
  ops::adamw(rig.ctx, w, g, m, v, {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .eps = 1, .weight_decay = 0.5, .step = 1});
  CHECK(m(0) == Approx(0.05).epsilon(1e-14));
  CHECK(v(0) == Approx(0.0025).epsilon(1e-14));
  double expected = 2 - 0.1 * (0.5 / (0.5 + 1) + 0.5 * 2);  // both moments corrected: mhat = g, vhat = g^2
  CHECK(w(0) == Approx(expected).epsilon(1e-14));
  g(0) = -1;
  ops::adamw(rig.ctx, w, g, m, v, {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .eps = 1, .weight_decay = 0, .step = 2});
  const double mhat = (0.9 * 0.05 - 0.1) / (1 - 0.81), vhat = (0.99 * 0.0025 + 0.01) / (1 - 0.9801);
  expected -= 0.1 * mhat / (std::sqrt(vhat) + 1);
  CHECK(w(0) == Approx(expected).epsilon(1e-13));
}

TEST_CASE("adamw: backends agree", "[ops][optimizer][parity]") {
  for (const Index size : {1, 33, 30000})
    for (const Index first : {0, 1})
      check_op([=](auto& rig) {
        const auto part = [&] {
          return View<typename std::decay_t<decltype(rig)>::Scalar, dynamic>(rig.random(size + 1).data() + first, size);
        };
        const auto w = part(), g = part(), m = part(), v = part();
        for (auto& x : v) x = std::abs(x);
        ops::adamw(rig.ctx, w, g, m, v, {1e-2, 0.9, 0.95, 1e-8, 0.1, 3});
      });
}

TEST_CASE("sum_squares: in double, backends agree", "[ops][optimizer][parity]") {
  for (const Index size : {0, 1, 33, 30000, 300001}) {
    Rig<TestedBackend, float> tested;
    Rig<ReferenceBackend, float> reference;
    const double expected = ops::sum_squares(reference.ctx, reference.random(size));
    const auto x = tested.random(size);
    const double found = ops::sum_squares(tested.ctx, x);
    CHECK(found == Approx(expected).epsilon(1e-12));
    CHECK((size == 0) == (expected == 0));
    for_each_order<float>([&](auto& rig) { CHECK(ops::sum_squares(rig.ctx, rig.random(size)) == found); });
    if (size == 0) continue;
    const double first = x(0);
    CHECK(ops::sum_squares(tested.ctx, View<const float, dynamic>(x.data() + 1, size - 1)) ==
          Approx(expected - first * first).epsilon(1e-12).margin(1e-12));
  }
}

TEST_CASE("adamw: sizes that differ are named", "[ops][optimizer]") {
  Rig<ReferenceBackend, float> rig;
  const auto w = rig.random(3), g = rig.random(4);
  CHECK_THROWS_WITH(ops::adamw(rig.ctx, w, g, w, w, {1e-2, 0.9, 0.95, 1e-8, 0.1, 1}),
                    "stlm::ops::adamw: 3 weights, 4 gradients, 3 and 3 moments; all must be equal.");
}
