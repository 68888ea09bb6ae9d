// AdamW at the parameter counts of models a and b, the sum of squares of as many gradients, and Muon without its products:
// momentum, normalisation, descent.
#include <stlm/ops/optimizer.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context;

constexpr float muon_momentum = 0.95F, muon_rate = 0.02F, muon_decay = 0.002F;

struct Moments {
  static constexpr stlm::AdamWOptions step{.lr = 1e-3};
  bench::Numbers w, g, m, v;
  stlm::ops::StepState<float> state = stlm::ops::StepState<float>::at(step, 1, 100);
  explicit Moments(bench::Index size) : w(size), g(size), m(size), v(size) { v.array() = v.array().square(); }

  stlm::ops::StepView<float> view() { return stlm::ops::StepView<float>(&state); }

  void plain() const {
    constexpr float b1 = static_cast<float>(step.beta1), b2 = static_cast<float>(step.beta2);
    constexpr float lr = static_cast<float>(step.lr), eps = static_cast<float>(step.eps), decay = lr * 0.1F;
    const float rate = lr / (1 - std::pow(b1, 100.0F)), correction = 1 / (1 - std::pow(b2, 100.0F));
    m.array() = b1 * m.array() + (1 - b1) * g.array();
    v.array() = b2 * v.array() + (1 - b2) * g.array().square();
    w.array() -= rate * m.array() / ((correction * v.array()).sqrt() + eps) + decay * w.array();
  }
};

const bench::Suite steps([] {
  for (const bench::Index size : {820'000, 10'700'000}) {
    const auto make = [=] { return Moments(size); };
    bench::add(
        bench::sized("optimizer/adamw", {size}),
        {.bytes = 28.0 * static_cast<double>(size), .moves = bench::Moves::kUpdate}, make,
        [](Moments& d, Context& ctx) {
          stlm::ops::adamw(ctx, d.view(), d.w.flat(), d.g.flat(), d.m.flat(), d.v.flat());
        },
        [](Moments& d) { d.plain(); });
    bench::add(
        bench::sized("optimizer/sum_squares", {size}),
        {.bytes = 4.0 * static_cast<double>(size), .moves = bench::Moves::kRead}, make,
        [](Moments& d, Context& ctx) { benchmark::DoNotOptimize(stlm::ops::sum_squares(ctx, d.g.flat())); },
        [](Moments& d) { benchmark::DoNotOptimize(d.g.array().cast<double>().square().sum()); });
    bench::add(
        bench::sized("optimizer/momentum", {size}),
        {.bytes = 16.0 * static_cast<double>(size), .moves = bench::Moves::kUpdate}, make,
        [](Moments& d, Context& ctx) {
          stlm::ops::momentum(ctx, d.view(), d.g.flat(), muon_momentum, d.m.flat(), d.v.flat());
        },
        [](Moments& d) {
          d.m.array() = muon_momentum * d.m.array() + d.g.array();
          d.v.array() = d.g.array() + muon_momentum * d.m.array();
        });
    bench::add(
        bench::sized("optimizer/normalize", {size}), {.bytes = 12.0 * static_cast<double>(size)}, make,
        [](Moments& d, Context& ctx) { stlm::ops::normalize(ctx, d.g.flat(), 1e-7, d.v.flat()); },
        [](Moments& d) {
          d.v.array() = d.g.array() / static_cast<float>(std::sqrt(d.g.array().cast<double>().square().sum()) + 1e-7);
        });
    bench::add(
        bench::sized("optimizer/descend", {size}),
        {.bytes = 12.0 * static_cast<double>(size), .moves = bench::Moves::kUpdate}, make,
        [](Moments& d, Context& ctx) {
          stlm::ops::descend(ctx, d.view(), d.g.flat(), muon_rate, muon_decay, d.w.flat());
        },
        [](Moments& d) {
          d.w.array() = (1 - muon_decay) * d.w.array() - muon_rate * d.g.array();
        });
  }
});

}  // namespace
