#include <stlm/models/program.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>
#include <stlm/ops/optimizer.hpp>

#include <complex>

#include "support/catch.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

template <class B, class T = double>
struct Training {
  Context<B> ctx{ContextOptions{.threads = 1, .seed = 5}};
  Parameters<Plain, B, T> params{ctx}, grads{ctx};

  Training() { init(ctx, params); }

  /// Returns the loss of a batch; adds its gradient times `weight` to `grads`.
  T run(const SomeBatch& batch, double weight = 1, ForwardOptions options = {}) {
    Activations<Plain, B, T> acts(ctx, batch.shape);
    const T loss = forward(ctx, params, batch.view(), acts, options);
    backward(ctx, params, batch.view(), acts, grads, weight);
    return loss;
  }
};

}  // namespace

TEMPLATE_TEST_CASE("forward: the mean over targets that count", "[models][program]", ReferenceBackend, EigenBackend) {
  Training<TestType> training;
  SomeBatch batch({2, 5}, 11);
  batch.targets[3] = batch.targets[8] = Plain::ignore;
  Activations<Plain, TestType, double> acts(training.ctx, batch.shape);
  const double loss = forward(training.ctx, training.params, batch.view(), acts);
  double sum = 0;
  for (Index n = 0; n < 10; ++n) {
    const auto& logits = acts.cache().head.logits;
    double exponentials = 0;
    for (Index v = 0; v < 11; ++v) exponentials += std::exp(logits(n, v));
    const Token target = batch.targets[static_cast<std::size_t>(n)];
    if (target != Plain::ignore) sum += std::log(exponentials) - logits(n, target);
  }
  CHECK(loss == Approx(sum / 8).epsilon(1e-13));
  CHECK(loss == Approx(std::log(11)).epsilon(0.01));  // a fresh model predicts nearly uniformly
}

TEMPLATE_TEST_CASE("backward: two half batches add up to one", "[models][program]", ReferenceBackend, EigenBackend) {
  Training<TestType> whole, halves;
  const SomeBatch batch({4, 5}, 11);
  SomeBatch first = batch, second = batch;
  first.shape.batch = second.shape.batch = 2;
  second.tokens.erase(second.tokens.begin(), second.tokens.begin() + 10);
  second.targets.erase(second.targets.begin(), second.targets.begin() + 10);
  const double loss = whole.run(batch);
  const double mean = (halves.run(first, 0.5) + halves.run(second, 0.5)) / 2;
  CHECK(mean == Approx(loss).epsilon(1e-14));
  CHECK(deviation(whole.grads.flat(), halves.grads.flat()) < 1e-13);
  CHECK(deviation(std::vector<double>(static_cast<std::size_t>(whole.grads.flat().size())), whole.grads.flat()) > 0.1);
}

TEST_CASE("backward: refuses what no forward pass has filled", "[models][program]") {
  Training<EigenBackend> training;
  const SomeBatch batch({2, 5}, 11);
  Activations<Plain, EigenBackend, double> acts(training.ctx, batch.shape);
  const auto differentiate = [&] { backward(training.ctx, training.params, batch.view(), acts, training.grads); };
  CHECK_THROWS_AS(differentiate(), Error);  // no forward pass yet
  forward(training.ctx, training.params, batch.view(), acts);
  differentiate();
  CHECK_THROWS_AS(differentiate(), Error);  // the forward pass has been used
  forward(training.ctx, training.params, batch.view(), acts);
  detail::forward_sum(training.ctx, training.params, batch.view(), acts);  // as evaluation does
  CHECK_THROWS_AS(differentiate(), Error);
  forward_backward(training.ctx, training.params, batch.view(), acts, training.grads);
  CHECK_THROWS_AS(differentiate(), Error);
}

TEMPLATE_TEST_CASE("backward: refuses another batch than forward's", "[models][program]", ReferenceBackend, EigenBackend) {
  Training<TestType> training;
  SomeBatch batch({2, 5}, 11);
  const SomeBatch shorter({1, 5}, 11);
  Activations<Plain, TestType, double> acts(training.ctx, batch.shape);
  const auto differentiate = [&](const SomeBatch& other) {
    backward(training.ctx, training.params, other.view(), acts, training.grads);
  };
  forward(training.ctx, training.params, batch.view(), acts);
  CHECK_THROWS_AS(differentiate(shorter), ShapeError);
  batch.targets[3] = 100'000;
  CHECK_THROWS_AS(differentiate(batch), Error);
}

TEMPLATE_TEST_CASE("forward, backward: targets to ignore change nothing", "[models][program]", ReferenceBackend, EigenBackend) {
  Training<TestType> whole, padded, none;
  const SomeBatch batch({2, 5}, 11);
  SomeBatch longer({3, 7}, 11), empty = batch;  // `longer`: the same tokens, then positions to ignore
  std::fill(longer.targets.begin(), longer.targets.end(), Plain::ignore);
  for (std::size_t b = 0; b < 2; ++b)
    for (std::size_t t = 0; t < 5; ++t) {
      longer.tokens[7 * b + t] = batch.tokens[5 * b + t];
      longer.targets[7 * b + t] = batch.targets[5 * b + t];
    }
  CHECK(padded.run(longer) == Approx(whole.run(batch)).epsilon(1e-14));
  CHECK(deviation(whole.grads.flat(), padded.grads.flat()) < 1e-13);

  std::fill(empty.targets.begin(), empty.targets.end(), Plain::ignore);
  CHECK(none.run(empty) == 0);
  for (const double g : none.grads.flat()) CHECK(g == 0);
}

TEMPLATE_TEST_CASE("forward: dropout draws one key of the context's", "[models][program]", ReferenceBackend, EigenBackend) {
  Training<TestType> first, second, without;
  const SomeBatch batch({2, 5}, 11);
  const auto counter = first.ctx.random().counter();
  const double loss = first.run(batch, 1, {.dropout = 0.3});
  CHECK(first.ctx.random().counter() == counter + 1);
  CHECK(second.run(batch, 1, {.dropout = 0.3}) == loss);
  CHECK(deviation(first.grads.flat(), second.grads.flat()) == 0);
  CHECK(second.run(batch, 1, {.dropout = 0.3}) != loss);  // draws the next key
  CHECK(without.run(batch) != loss);
  CHECK(without.ctx.random().counter() == counter);
}

TEMPLATE_TEST_CASE("forward: refuses batches of another shape and tokens outside the vocabulary", "[models][program]",
                   ReferenceBackend, EigenBackend) {
  Training<TestType> training;
  Activations<Plain, TestType, double> acts(training.ctx, {2, 5});
  const SomeBatch other({2, 4}, 11);
  const std::uint64_t counter = training.ctx.random().counter();
  CHECK_THROWS_AS(forward(training.ctx, training.params, other.view(), acts, {.dropout = 0.1}), ShapeError);
  CHECK(training.ctx.random().counter() == counter);
  CHECK_THROWS_WITH(forward(training.ctx, training.params, other.view(), acts),
                    "stlm::forward: expected a batch of 2 sequences of 5 tokens with as many targets, found 2 of 4, and "
                    "targets 2 of 4; build Activations for the batch's shape.");
  SomeBatch wrong({2, 5}, 11);
  wrong.tokens[7] = 11;
  CHECK_THROWS_WITH(forward(training.ctx, training.params, wrong.view(), acts),
                    "stlm::ops::embedding_forward: token 7 is 11, expected an id in [0, 11); check the tokenizer against the "
                    "model's vocabulary.");
  SomeBatch target({2, 5}, 11);
  target.targets[2] = -1;
  CHECK_THROWS_WITH(forward(training.ctx, training.params, target.view(), acts),
                    "stlm::ops::cross_entropy_forward: token 2 is -1, expected an id in [0, 11); check the tokenizer against "
                    "the model's vocabulary.");
}

TEMPLATE_TEST_CASE("backward: the gradient of what forward returns, auxiliary loss included", "[models][program][gradient]",
                   Plain, Experts) {
  using Complex = std::complex<double>;
  using B = ReferenceBackend;
  constexpr double step = 1e-30, weight = 0.25;
  Context<B> ctx({.seed = 5});
  Parameters<TestType, B, double> params(ctx), grads(ctx);
  Parameters<TestType, B, Complex> complex(ctx);
  SomeBatch batch({2, 4}, 11);
  batch.targets[3] = TestType::ignore;
  Activations<TestType, B, double> acts(ctx, batch.shape);
  Activations<TestType, B, Complex> complex_acts(ctx, batch.shape);
  fill(params.flat(), {1, 1}, 0.5);
  std::copy(params.flat().begin(), params.flat().end(), complex.flat().begin());

  const double loss = forward(ctx, params, batch.view(), acts);
  const double cross_entropy = TestType::forward(ctx, params.tree(), acts.pass(), batch.view(), acts.cache()).mean();
  CHECK(auxiliary_loss(acts) == (std::is_same_v<TestType, Experts> ? loss - cross_entropy : 0));
  CHECK((loss > cross_entropy) == std::is_same_v<TestType, Experts>);
  backward(ctx, params, batch.view(), acts, grads, weight);
  grads.for_each([&](const Path& path, auto& view, const ParameterSpec&) {
    std::vector<double> expected;
    for (Index i = 0; i < view.size(); ++i) {
      Complex& element = complex.flat()(view.data() - grads.flat().data() + i);
      element += Complex(0, step);
      expected.push_back(weight * forward(ctx, complex, batch.view(), complex_acts).imag() / step);
      element = element.real();
    }
    CAPTURE(path.str());
    CHECK(deviation(expected, view) < 1e-12);
  });

  std::fill(batch.targets.begin(), batch.targets.end(), TestType::ignore);  // only the auxiliary loss is left
  grads.zero(ctx);
  CHECK(forward(ctx, params, batch.view(), acts) == auxiliary_loss(acts));
  backward(ctx, params, batch.view(), acts, grads);
  CHECK((ops::sum_squares(ctx, grads.flat()) > 0) == std::is_same_v<TestType, Experts>);
}

TEMPLATE_TEST_CASE("forward_backward: forward, then backward, auxiliary losses weighted alike", "[models][program]", Plain, Experts) {
  using B = ReferenceBackend;
  Context<B> ctx({.seed = 5});
  Parameters<TestType, B, double> params(ctx), expected(ctx), found(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  const SomeBatch batch({2, 4}, 11);
  Activations<TestType, B, double> acts(ctx, batch.shape), others(ctx, batch.shape);  // others: used with no weight before
  const double loss = forward(ctx, params, batch.view(), acts);
  backward(ctx, params, batch.view(), acts, expected, 0.25);
  CHECK(forward_backward(ctx, params, batch.view(), others, found, 0.25) == Approx(loss).epsilon(1e-14));
  CHECK(deviation(expected.flat(), found.flat()) < 1e-13);
}
