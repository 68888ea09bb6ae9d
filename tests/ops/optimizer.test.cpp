#include <stlm/ops/optimizer.hpp>

#include <stlm/ops/elementwise.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/schedule.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

constexpr AdamWOptions options{.lr = 1e-2};
constexpr CosineSchedule schedule{.warmup = 3, .total = 9, .minimum = 0.1};
constexpr double max_norm = 8, given = 0.75;

/// Weights, gradient and moments; each holds matrices, then vectors.
template <class B, class T>
struct Numbers {
  Index matrices, size;
  TestBuffer<B, T> w{size}, g{size}, m{size}, v{size};

  Numbers(Index matrices_, Index vectors) : matrices(matrices_), size(matrices_ + vectors) { fill(w.view(), {1, 1}); }
  /// Draws a gradient; its norm is above `max_norm` every other step.
  void draw_gradient(Index step) { fill(g.view(), RandomKey{2, 2}.fold(static_cast<std::uint64_t>(step)), step % 2 ? 1 : 0.125); }
  static View<T, dynamic> part(const TestBuffer<B, T>& of, Index begin, Index end) {
    return {of.data() + begin, Extents<dynamic>(end - begin)};
  }
};

template <class T>
struct ByHand : Numbers<CpuBackend, T> {
  using Numbers<CpuBackend, T>::Numbers;
  Context<CpuBackend> ctx{{.threads = 1}};
  double norm = 0;

  void step(Index step) {
    norm = std::sqrt(ops::sum_squares(ctx, this->g.view()));
    if (norm > max_norm) ops::axpby(ctx, static_cast<T>(max_norm / norm), this->g.view(), T(0), this->g.view());
    auto state = ops::StepState<T>::at(options, given * schedule(step), step + 1);
    update(state, 0, this->matrices, true);
    update(state, this->matrices, this->size, false);
  }
  void update(ops::StepState<T>& state, Index begin, Index end, bool decays) {
    ops::adamw(ctx, ops::StepView<T>(&state), this->part(this->w, begin, end), this->part(this->g, begin, end),
               this->part(this->m, begin, end), this->part(this->v, begin, end), {decays});
  }
};

template <class T>
struct OnState : Numbers<TestedBackend, T> {
  using Numbers<TestedBackend, T>::Numbers;
  Context<TestedBackend> ctx{{.threads = 2}};
  TestBuffer<TestedBackend, ops::StepState<T>> state{1};
  TestBuffer<TestedBackend, Bfloat16> rounded{this->matrices};

  void step() {
    const View<T, dynamic> losses(this->w.data(), Extents<dynamic>(1));
    ops::begin_step(ctx, ops::StepView<T>(state.data()), this->g.view(), losses,
                    ops::StepRule<CosineSchedule>{options, max_norm, schedule, &given});
    update(0, this->matrices, {true, true, rounded.view()});
    update(this->matrices, this->size, {false, true});
  }
  void update(Index begin, Index end, const ops::UpdateOptions& how) {
    ops::adamw(ctx, ops::StepView<T>(state.data()), this->part(this->w, begin, end), this->part(this->g, begin, end),
               this->part(this->m, begin, end), this->part(this->v, begin, end), how);
  }
};

/// The state of step number `step`, with a factor of the learning rate and one of clipping.
template <class Rig>
auto state_of(Rig& rig, const AdamWOptions& adamw, Index step, double factor = 1, double clip = 1, bool skip = false) {
  using T = typename Rig::Compute;
  auto state = ops::StepState<T>::at(adamw, factor, step);
  state.numbers.clip = T(clip);
  state.numbers.skip = skip;
  return ops::StepView<T>(rig.copy(std::vector{state}).data());
}

}  // namespace

TEST_CASE("adamw: the first two steps by hand", "[ops][optimizer]") {
  Rig<ReferenceBackend, double> rig;
  const auto w = rig.random(1), g = rig.random(1), m = rig.random(1), v = rig.random(1);
  w(0) = 2, g(0) = 0.5, m(0) = 0, v(0) = 0;
  const AdamWOptions adamw{.lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .eps = 1, .weight_decay = 0.5};
  ops::adamw(rig.ctx, state_of(rig, adamw, 1), w, g, m, v);
  CHECK(m(0) == Approx(0.05).epsilon(1e-14));
  CHECK(v(0) == Approx(0.0025).epsilon(1e-14));
  double expected = 2 - 0.1 * (0.5 / (0.5 + 1) + 0.5 * 2);  // both moments corrected: mhat = g, vhat = g^2
  CHECK(w(0) == Approx(expected).epsilon(1e-14));
  g(0) = -1;
  ops::adamw(rig.ctx, state_of(rig, adamw, 2), w, g, m, v, {.decays = false});
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
        ops::adamw(rig.ctx, state_of(rig, options, 3, 1, 0.5), w, g, m, v);
        ops::adamw(rig.ctx, state_of(rig, options, 4, 1, 1, true), w, g, m, v);
        ops::adamw(rig.ctx, state_of(rig, options, 4, 0.5, 2), w, g, m, v, {.clears = true});
      });
}

TEST_CASE("adamw: squares that are subnormal, or infinite, backends agree", "[ops][optimizer][parity]") {
  for (const float size : {1e-19F, 1.2e20F}) {
    constexpr AdamWOptions without_eps{.lr = 1e-3, .eps = 0};
    const auto weights_after = [&]<class B>(std::type_identity<B>) {
      Context<B> ctx({.threads = 1});
      Numbers<B, float> n(0, 41);  // whole packets and a rest
      std::fill_n(n.g.data(), 41, size);
      std::fill_n(n.w.data(), 41, 1.0F);
      TestBuffer<B, ops::StepState<float>> state(1);
      *state.data() = ops::StepState<float>::at(without_eps, 1, 1);
      ops::adamw(ctx, ops::StepView<float>(state.data()), n.w.view(), n.g.view(), n.m.view(), n.v.view(), {});
      return std::vector<float>(n.w.data(), n.w.data() + 41);
    };
    const auto found = weights_after(std::type_identity<CpuBackend>{});
    CAPTURE(size, found[0]);
    CHECK(found == weights_after(std::type_identity<ReferenceBackend>{}));
  }
}

TEST_CASE("momentum and descend: by hand, backends agree, and neither is done in a step that is left out",
          "[ops][optimizer][parity]") {
  Rig<ReferenceBackend, double> rig;
  const auto w = rig.random(1), g = rig.random(1), m = rig.random(1), u = rig.blank(1);
  w(0) = 2, g(0) = 3, m(0) = 4;
  const auto state = state_of(rig, options, 1, 0.25, 0.5);
  ops::momentum(rig.ctx, state, g, 0.75, m, u);
  CHECK(m(0) == 0.75 * 4 + 0.5 * 3);
  CHECK(u(0) == 0.5 * 3 + 0.75 * m(0));
  CHECK(g(0) == 3);
  ops::descend(rig.ctx, state, u, 0.5, 0.125, w);
  CHECK(w(0) == Approx((1 - 0.25 * 0.125) * 2 - 0.25 * 0.5 * u(0)).epsilon(1e-15));

  for (const Index size : {1, 33, 30000})
    check_op([=](auto& tested) {
      const auto weights = tested.random(size), gradient = tested.random(size), moment = tested.random(size);
      const auto update = tested.blank(size);
      const auto step = state_of(tested, options, 3, 0.25, 0.5), none = state_of(tested, options, 3, 0.25, 0.5, true);
      ops::momentum(tested.ctx, step, gradient, 0.9, moment, update);
      ops::momentum(tested.ctx, step, gradient, 0.8, moment, update, true);
      ops::descend(tested.ctx, step, update, 0.02, 0.1, weights);
      const auto kept = tested.random(size), room = tested.template room<typename std::decay_t<decltype(tested)>::Scalar>(size);
      ops::momentum(tested.ctx, none, kept, 0.9, moment, room, true);
      ops::descend(tested.ctx, none, kept, 0.02, 0.1, weights);
    });
  CHECK_THROWS_WITH(ops::momentum(rig.ctx, state, g, 0.5, rig.random(2), u),
                    "stlm::ops::momentum: 1 gradients, 2 moments, room for 1; all must be equal.");
  CHECK_THROWS_WITH(ops::descend(rig.ctx, state, g, 0.5, 0, rig.random(2)),
                    "stlm::ops::descend: 1 numbers, 2 weights; both must be equal.");
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

TEST_CASE("normalize: to the length |x| / (|x| + eps), backends agree", "[ops][optimizer][parity]") {
  Rig<ReferenceBackend, double> rig;
  const auto x = rig.random(2), y = rig.blank(2);
  x(0) = 3, x(1) = -4;
  ops::normalize(rig.ctx, x, 1, y);
  CHECK(y(0) == Approx(0.5).epsilon(1e-14));
  CHECK(y(1) == Approx(-4.0 / 6).epsilon(1e-14));
  for (const Index size : {0, 1, 33, 30001})
    check_stream_op([=](auto& tested) {
      using T = typename std::decay_t<decltype(tested)>::Scalar;
      ops::normalize(tested.ctx, tested.random(size), 0.5, View<T, dynamic>(tested.blank(1, size).data(), size));
    });
  CHECK_THROWS_WITH(ops::normalize(rig.ctx, x, 0, rig.blank(3)),
                    "stlm::ops::normalize: 2 numbers, room for 3; give views of one size.");
}

TEST_CASE("adamw: sizes that differ are named", "[ops][optimizer]") {
  Rig<ReferenceBackend, float> rig;
  const auto w = rig.random(3), g = rig.random(4);
  CHECK_THROWS_WITH(ops::adamw(rig.ctx, state_of(rig, options, 1), w, g, w, w),
                    "stlm::ops::adamw: 3 weights, 4 gradients, 3 and 3 moments, 0 rounded; all must be equal.");
}

TEMPLATE_TEST_CASE("a step with its numbers in memory of the backend is one by hand: clipping, schedule, AdamW", "[ops][optimizer]", float,
                   double) {
  for (const auto& [matrices, vectors] : {std::pair<Index, Index>{1, 1}, {1000, 33}, {1003, 37}, {40000, 0}}) {
    CAPTURE(matrices, vectors);
    ByHand<TestType> cpu(matrices, vectors);
    OnState<TestType> device(matrices, vectors);
    for (Index step = 0; step < 10; ++step) {
      const double loss = static_cast<double>(device.w.data()[0]);
      cpu.draw_gradient(step);
      device.draw_gradient(step);
      cpu.step(step);
      device.step();
      const auto& state = device.state.data()[0];
      CHECK(state.step == step + 1);
      CHECK(state.norm == Approx(cpu.norm).epsilon(1e-12));
      CHECK(state.factor == Approx(given * schedule(step)).epsilon(1e-14));  // a GPU's cosine differs slightly
      CHECK(state.loss == loss);
      const double tolerance = sizeof(TestType) == 4 ? 1e-6 : 1e-12;  // that of the norm which scales the gradients
      CHECK(deviation(cpu.w.view(), device.w.view()) < tolerance);
      CHECK(deviation(cpu.m.view(), device.m.view()) < tolerance);
      CHECK(deviation(cpu.v.view(), device.v.view()) < tolerance);
      for (Index i = 0; i < matrices; ++i)
        REQUIRE(device.rounded.data()[i].bits == Bfloat16(static_cast<float>(device.w.data()[i])).bits);
      for (const TestType gradient : device.g.view()) REQUIRE(gradient == 0);
    }
  }
}

TEST_CASE("a gradient that is not finite stops the run, and leaves everything as it is", "[ops][optimizer]") {
  OnState<float> device(1000, 33);
  device.draw_gradient(0);
  device.step();
  const std::vector<float> before(device.w.view().begin(), device.w.view().end());
  for (Index step = 1; step < 3; ++step) {
    device.draw_gradient(step);
    if (step == 1) device.g.data()[1001] = std::numeric_limits<float>::quiet_NaN();
    const float gradient = device.g.data()[7];
    device.step();
    CHECK(std::memcmp(before.data(), device.w.data(), device.w.bytes()) == 0);
    CHECK(device.g.data()[7] == gradient);
    CHECK(device.state.data()->step == 1);
    CHECK(device.state.data()->failed == 2);
    CHECK(std::isnan(device.state.data()->norm));
  }
}
