#include <stlm/nn/norm.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(Module<RmsNorm<8>> && Module<LayerNorm<8>> && Module<NoNorm<8>>);
static_assert(num_params<RmsNorm<8>> == 8);
static_assert(num_params<LayerNorm<8>> == 16);
static_assert(num_params<LayerNorm<8, false>> == 8);
static_assert(num_params<NoNorm<8>> == 0);
static_assert(activation_bytes<LayerNorm<8>>({1, 16}) == 2 * 64 && activation_bytes<NoNorm<8>>({1, 16}) == 0);

namespace {

/// Tests the accumulating backward: adds dx to 2 x, then subtracts 2 x again.
template <class Norm>
struct Adding : Leaf<Norm, 5> {
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, 5> x,
                       View<const T, dynamic, 5> dy, View<T, dynamic, 5> dx, const C& cache, const P& grads) {
    for (Index i = 0; i < dx.size(); ++i) dx.data()[i] = T(2) * x.data()[i];
    Norm::backward(ctx, p, pass, x, dy, dx, cache, grads, true);
    for (Index i = 0; i < dx.size(); ++i) dx.data()[i] -= T(2) * x.data()[i];
  }
};

}  // namespace

TEST_CASE("norms: start as plain normalisation", "[nn][norm]") {
  Fixture<Leaf<LayerNorm<5>, 5>, ReferenceBackend, double> layer({2, 3});
  Fixture<Leaf<RmsNorm<5>, 5>, ReferenceBackend, double> rms({2, 3});
  Fixture<Leaf<NoNorm<5>, 5>, ReferenceBackend, double> none({2, 3});
  init(layer.ctx, layer.params);
  init(rms.ctx, rms.params);
  layer.forward();
  rms.forward();
  none.forward();
  CHECK(deviation(none.x, none.y) == 0);
  for (Index n = 0; n < 6; ++n) {
    double sum = 0, squares = 0, rms_squares = 0;
    for (Index c = 0; c < 5; ++c) {
      sum += layer.y(n, c);
      squares += layer.y(n, c) * layer.y(n, c);
      rms_squares += rms.y(n, c) * rms.y(n, c);
    }
    CHECK(sum == Approx(0).margin(1e-14));
    CHECK(squares / 5 == Approx(1).epsilon(1e-3));  // not exact because of eps
    CHECK(rms_squares / 5 == Approx(1).epsilon(1e-3));
  }
}

TEMPLATE_TEST_CASE("norms: gradients", "[nn][norm][gradient]", RmsNorm<5>, LayerNorm<5>, (LayerNorm<5, false>), NoNorm<5>) {
  check_gradients<Leaf<TestType, 5>>();
  check_gradients<Adding<TestType>>();
}

TEMPLATE_TEST_CASE("norms: backends agree", "[nn][norm][parity]", RmsNorm<33>, LayerNorm<33>, (LayerNorm<16, false>),
                   NoNorm<33>) {
  constexpr Index width = std::is_same_v<TestType, LayerNorm<16, false>> ? 16 : 33;
  check_backends<Leaf<TestType, width>>();
}
