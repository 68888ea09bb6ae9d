#include <stlm/ops/learned_activation.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// The network of `hidden` units with its parameters in the rows of `w`: w1, b1, w2, then b2 first in the last.
template <class View>
auto network(const View& w) {
  using T = typename View::value_type;
  return ops::ReluNetwork<T>{w.extent(1), &w(0, 0), &w(1, 0), &w(2, 0), &w(3, 0)};
}

}  // namespace

TEST_CASE("learned activation: a sum of relus, by hand", "[ops][learned_activation]") {
  check_op([](auto& rig) {
    const auto w = rig.blank(4, 2), x = rig.blank(1, 4), y = rig.blank(1, 4);
    const double weights[] = {1, -2, 0.5, 1, 3, 0.25, -1, 0}, inputs[] = {-1, 0, 0.25, 2},
                 outputs[] = {-0.25, 0.75, 1.375, 6.5};
    std::copy_n(weights, 8, w.begin());  // -1 + 3 relu(x + 0.5) + 0.25 relu(1 - 2x)
    std::copy_n(inputs, 4, x.begin());
    ops::learned_activation_forward(rig.ctx, x, network(w), y);
    for (Index i = 0; i < 4; ++i) CHECK(static_cast<double>(y(0, i)) == outputs[i]);
  });
}

TEST_CASE("learned activation: backends agree; backward in place and accumulating", "[ops][learned_activation]") {
  for (const Index size : {1, 37, 300, 20001})
    check_stream_op([=](auto& rig) {
      const auto w = rig.weights(4, 10), dw = rig.weights(4, 10);
      const auto x = rig.random(1, size, 4), y = rig.blank(1, size), dy = rig.random(1, size), dx = rig.blank(1, size);
      ops::learned_activation_forward(rig.ctx, x, network(w), y);
      ops::learned_activation_backward(rig.ctx, x, network(w), dy, dx, network(dw));
      ops::learned_activation_backward(rig.ctx, x, network(w), dy, dy, network(dw));
      CHECK(std::equal(dx.begin(), dx.end(), dy.begin()));
    });
}

TEST_CASE("learned activation: one unit, as many as there may be, and numbers anywhere in memory", "[ops][learned_activation]") {
  for (const Index hidden : {1, 64})
    for (const Index first : {0, 1})
      check_stream_op([=](auto& rig) {
        const auto part = [&] {
          return View<typename std::decay_t<decltype(rig)>::Scalar, dynamic>(rig.random(1, 5000, 4).data() + first, 4999);
        };
        const auto w = rig.weights(4, hidden), dw = rig.weights(4, hidden);
        const auto x = part(), y = part(), dy = part();
        ops::learned_activation_forward(rig.ctx, x, network(w), y);
        ops::learned_activation_backward(rig.ctx, x, network(w), dy, y, network(dw));
      });
}

TEMPLATE_TEST_CASE("learned activation: what is not a number stays so", "[ops][learned_activation]", ReferenceBackend,
                   TestedBackend) {
  Rig<TestType, float> rig;
  const auto w = rig.random(4, 10), x = rig.random(1, 300), y = rig.blank(1, 300);
  x(0, 7) = x(0, 290) = std::numeric_limits<float>::quiet_NaN();
  ops::learned_activation_forward(rig.ctx, x, network(w), y);
  CHECK(std::isnan(y(0, 7)));
  CHECK(std::isnan(y(0, 290)));
  CHECK(std::isfinite(y(0, 8)));
}

TEST_CASE("learned activation: sizes that differ are named", "[ops][learned_activation]") {
  Rig<ReferenceBackend, float> rig;
  const auto w = rig.random(4, 10), many = rig.random(4, 65), three = rig.random(1, 3), four = rig.random(1, 4);
  CHECK_THROWS_WITH(
      ops::learned_activation_forward(rig.ctx, three, network(w), four),
      "stlm::ops::learned_activation_forward: sizes differ or too many units: x 3, y 4, 10 units of at most 64; "
      "give views of one size, and fewer units.");
  CHECK_THROWS_AS(ops::learned_activation_forward(rig.ctx, three, network(many), three), ShapeError);
  CHECK_THROWS_AS(ops::learned_activation_backward(rig.ctx, three, network(w), four, three, network(w)), ShapeError);
  CHECK_THROWS_AS(ops::learned_activation_backward(rig.ctx, three, network(w), three, three, network(many)),
                  ShapeError);
}
