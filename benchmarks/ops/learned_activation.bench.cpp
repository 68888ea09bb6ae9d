// A learned activation of ten relus over 2048 x 1024 numbers. Each relu counts four FLOPs forward and eight backward.
#include <stlm/ops/learned_activation.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index, bench::Numbers;

struct Relus {
  static constexpr Index size = 2048 * 1024, hidden = 10;
  Numbers x{size}, dy{size}, y{size}, weights{3 * hidden + 1}, grads{3 * hidden + 1};

  static stlm::ops::ReluNetwork<float> network(const Numbers& n) {
    return {hidden, n.data(), n.data() + hidden, n.data() + 2 * hidden, n.data() + 3 * hidden};
  }
  void plain_forward() const {
    const auto f = network(weights);
    y.array().setConstant(*f.b2);
    for (Index j = 0; j < hidden; ++j) y.array() += f.w2[j] * (f.w1[j] * x.array() + f.b1[j]).max(0.0F);
  }
  void plain_backward() const {
    const auto f = network(weights), d = network(grads);
    y.array().setZero();
    for (Index j = 0; j < hidden; ++j) {
      const auto active = (f.w1[j] * x.array() + f.b1[j] > 0.0F).select(dy.array(), 0.0F);
      const float a = active.sum(), b = (active * x.array()).sum();
      y.array() += f.w2[j] * f.w1[j] * active;
      d.w1[j] += f.w2[j] * b;
      d.b1[j] += f.w2[j] * a;
      d.w2[j] += f.w1[j] * b + f.b1[j] * a;
    }
    *d.b2 += dy.array().sum();
  }
};

const bench::Suite learned([] {
  constexpr double size = Relus::size;
  const auto make = [] { return Relus(); };
  bench::add(
      "learned_activation/forward/2048x1024", {.flops = 4 * Relus::hidden * size, .bytes = 8 * size}, make,
      [](Relus& d, Context& ctx) {
        stlm::ops::learned_activation_forward(ctx, d.x.flat(), d.network(d.weights), d.y.flat());
      },
      [](Relus& d) { d.plain_forward(); });
  bench::add(
      "learned_activation/backward/2048x1024", {.flops = 8 * Relus::hidden * size, .bytes = 12 * size}, make,
      [](Relus& d, Context& ctx) {
        stlm::ops::learned_activation_backward(ctx, d.x.flat(), d.network(d.weights), d.dy.flat(), d.y.flat(),
                                               d.network(d.grads));
      },
      [](Relus& d) { d.plain_backward(); });
});

}  // namespace
