#include <stlm/ops/activation.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct Cube {  // a user's activation
  template <class T>
  static STLM_HOST_DEVICE T value(T x) {
    return x * x * x;
  }
  template <class T>
  static STLM_HOST_DEVICE T derivative(T x) {
    return T(3) * x * x;
  }
};

}  // namespace

TEMPLATE_TEST_CASE("activations: backends agree, in place too", "[ops][activation][parity]", Sigmoid, Silu, Gelu, GeluTanh,
                   Tanh, Relu, LeakyRelu, ReluSquared, Cube) {
  for (const Index size : {1, 37, 20000})
    check_stream_op([=](auto& rig) {
      const auto x = rig.random(1, size, 8), dy = rig.random(1, size), y = rig.blank(1, size), dx = rig.blank(1, size);
      ops::activation_forward<TestType>(rig.ctx, x, y);
      ops::activation_backward<TestType>(rig.ctx, x, dy, dx);
      ops::activation_backward<TestType>(rig.ctx, x, dy, dy);  // in place
      CHECK(std::equal(dx.begin(), dx.end(), dy.begin()));
    });
}

TEST_CASE("gelu: floats within a few roundings, the tail too", "[ops][activation]") {
  if constexpr (std::is_same_v<CpuBackend, ReferenceBackend>) return;  // nvcc compiles without EigenBackend, which has a tail
  Rig<CpuBackend, float> rig;
  const Index size = 20001;
  const auto x = rig.blank(size), y = rig.blank(size), dx = rig.blank(size), one = rig.blank(size);
  for (Index i = 0; i < size; ++i) x(i) = static_cast<float>(i - size / 2) * 6e-4F;  // -6 to 6
  std::fill(one.begin(), one.end(), 1.0F);
  ops::activation_forward<Gelu>(rig.ctx, x, y);
  ops::activation_backward<Gelu>(rig.ctx, x, one, dx);
  for (Index i = 0; i < size; ++i) {
    const double v = double{x(i)}, below = 0.5 * std::erfc(-v / std::sqrt(2.0));
    REQUIRE(double{y(i)} == Approx(v * below).epsilon(2e-6));
    REQUIRE(double{dx(i)} == Approx(Gelu::derivative(v)).epsilon(2e-7).margin(2e-7));
  }
  x(0) = x(5000) = std::nanf("");  // one number at the edge, one within packets
  ops::activation_forward<Gelu>(rig.ctx, x, y);
  ops::activation_backward<Gelu>(rig.ctx, x, one, dx);
  for (const Index i : {Index{0}, Index{5000}}) CHECK((std::isnan(y(i)) && std::isnan(dx(i))));
}

TEMPLATE_TEST_CASE("activations: saturate without NaN", "[ops][activation]", Sigmoid, Silu, Gelu, GeluTanh, Tanh, Relu,
                   LeakyRelu) {
  // Eigen's tanh on NEON ends at 1 - 2^-22, which leaves a derivative of 2^-21.
  const double most = std::is_same_v<TestType, Tanh> ? 1e-4 : tolerance<float>;
  for (const Index size : {1, 64})
    check_op([=](auto& rig) {
      for (const int extreme : {-1000, -100, -50, 50, 100, 1000}) {
        const auto x = rig.blank(size), y = rig.blank(size), d = rig.random(size);
        std::fill(x.begin(), x.end(), extreme);
        ops::activation_forward<TestType>(rig.ctx, x, y);
        ops::activation_backward<TestType>(rig.ctx, x, d, d);
      }
    }, most);
}

TEST_CASE("swiglu: silu(gate) up, and both gradients", "[ops][activation]") {
  for (const Index size : {1, 37, 20000})
    check_stream_op([=](auto& rig) {
      const auto row = [&] { return rig.random(1, size); };
      const auto gate = rig.random(1, size, 8), up = row(), y = row(), dy = row(), dgate = row(), dup = row();
      const auto first = [](const auto& numbers) { return static_cast<double>(numbers(0, 0)); };
      const double g = first(gate), u = first(up), d = first(dy);
      const double close = std::max(1e-5, tolerance<typename std::decay_t<decltype(rig)>::Scalar>);
      ops::swiglu_forward(rig.ctx, gate, up, y);
      ops::swiglu_backward(rig.ctx, gate, up, dy, dgate, dup);
      CHECK(first(y) == Approx(Silu::value(g) * u).epsilon(close));
      CHECK(first(dgate) == Approx(d * u * Silu::derivative(g)).epsilon(close));
      CHECK(first(dup) == Approx(d * Silu::value(g)).epsilon(close));
      ops::swiglu_backward(rig.ctx, gate, up, dy, gate, up, dy);  // in place
      CHECK(std::equal(dgate.begin(), dgate.end(), gate.begin()));
      CHECK(std::equal(dup.begin(), dup.end(), up.begin()));
      CHECK(std::equal(y.begin(), y.end(), dy.begin()));
    });
}

TEST_CASE("activations: sizes that differ are named", "[ops][activation]") {
  Rig<ReferenceBackend, float> rig;
  const auto three = rig.random(3), four = rig.random(4);
  CHECK_THROWS_WITH(ops::activation_forward<Gelu>(rig.ctx, three, four),
                    "stlm::ops::activation_forward: sizes differ: 3 -> 4; give views of one size.");
  CHECK_THROWS_AS(ops::activation_backward<Gelu>(rig.ctx, three, four, three), ShapeError);
  CHECK_THROWS_AS(ops::swiglu_forward(rig.ctx, three, four, three), ShapeError);
  CHECK_THROWS_AS(ops::swiglu_backward(rig.ctx, three, three, three, three, four), ShapeError);
  CHECK_THROWS_AS(ops::swiglu_backward(rig.ctx, three, three, three, three, three, four), ShapeError);
}
