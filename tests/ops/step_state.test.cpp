#include <stlm/ops/step_state.hpp>

#include <limits>

#include "support/catch.hpp"

using namespace stlm;

namespace {

constexpr AdamWOptions options{.lr = 0.5, .beta1 = 0.5, .beta2 = 0.75, .weight_decay = 0.25};

/// A learning rate that halves with each step.
struct Halving {
  double operator()(Index step) const { return 1 / std::exp2(static_cast<double>(step)); }
};
const ops::StepRule<Halving> rule{options, 2, Halving{}, nullptr};

}  // namespace

TEST_CASE("StepState: a step has the numbers of its schedule, and of the caller's factor", "[ops][step_state]") {
  ops::StepState<double> state;
  state.begin(1, 3, rule, 0.5);
  state.begin(1, 4, rule, 0.5);
  CHECK(state.step == 2);
  CHECK(state.masks == 2);
  CHECK(state.loss == 4);
  CHECK(state.factor == 0.25);
  CHECK(state.numbers.rate == Approx(0.5 * 0.25 / (1 - 0.5 * 0.5)));
  CHECK(state.numbers.correct2 == Approx(1 / (1 - 0.75 * 0.75)));
  CHECK(state.numbers.decay == 0.5 * 0.25 * 0.25);

  const auto given = ops::StepState<double>::at(options, 0.25, 2);
  CHECK(given.numbers.rate == state.numbers.rate);
  CHECK(given.numbers.clip == 1);
}

TEST_CASE("StepState: a gradient is scaled down to max_norm, and left alone where it is shorter", "[ops][step_state]") {
  ops::StepState<double> state;
  state.begin(16, 0, rule, 1);
  CHECK(state.norm == 4);
  CHECK(state.numbers.clip == 0.5);
  state.begin(3.99, 0, rule, 1);
  CHECK(state.numbers.clip == 1);
}

TEST_CASE("StepState: micro-batches add up, and the gradient of a step is the scaled sum", "[ops][step_state]") {
  ops::StepState<double> state;
  state.begin(1, 0, rule, 1);
  state.wait(3);
  CHECK(state.masks == 1 + (1 << 24));
  state.wait(4);
  CHECK(state.masks == 1 + (2 << 24));
  auto scaled = rule;
  scaled.scale = 0.25;
  state.begin(64, 5, scaled, 1);
  CHECK(state.loss == 12);
  CHECK(state.norm == 2);
  CHECK(state.numbers.clip == 0.25);
  CHECK(state.masks == 2);
  state.begin(1024, 5, scaled, 1);  // clipped from 8 to 2
  CHECK(state.loss == 5);
  CHECK(state.numbers.clip == 0.25 * 0.25);
  state.wait(3);
  state.forget();
  state.begin(1, 5, rule, 1);
  CHECK(state.loss == 5);
}

TEST_CASE("StepState: after a gradient that is not finite no step is taken", "[ops][step_state]") {
  ops::StepState<double> state;
  state.begin(1, 0, rule, 1);
  const auto before = state.numbers;
  state.begin(std::numeric_limits<double>::quiet_NaN(), 0, rule, 1);
  state.begin(1, 0, rule, 1);
  CHECK(state.failed == 2);
  CHECK(state.step == 1);
  CHECK(state.numbers.skip);
  CHECK(state.numbers.rate == before.rate);
}
