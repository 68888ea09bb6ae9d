#include <stlm/models/working_weights.hpp>

#include <stlm/models/program.hpp>
#include <stlm/train/adamw.hpp>

#include "support/backend_parity.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// A model whose products read weights of scalar S; its master copy is float.
template <class Model, class B, class S>
struct InScalar {
  Context<B> ctx;
  Parameters<Model, B> params{ctx}, grads{ctx};
  WorkingWeights<Model, B, S> weights;

  explicit InScalar(int threads = 1) : ctx({.threads = threads, .seed = 5}), weights(ctx, params) {
    init(ctx, params);
    weights.update(ctx);
  }

  float run(const SomeBatch& batch) {
    Activations<Model, B, S> acts(ctx, batch.shape);
    const float loss = forward(ctx, weights, batch.view(), acts);
    backward(ctx, weights, batch.view(), acts, grads);
    return loss;
  }
};

/// Tolerance of gradients with Bfloat16 factors against those with float factors: twice the deviation found.
template <class Model>
inline constexpr double near_in_bfloat16 = 0.04;
template <>
inline constexpr double near_in_bfloat16<Grouped> = 0.05;
template <>
inline constexpr double near_in_bfloat16<Learned> = 0.012;
template <>
inline constexpr double near_in_bfloat16<Sinusoidal> = 0.012;
template <>
inline constexpr double near_in_bfloat16<Mixture> = 0.025;

}  // namespace

TEST_CASE("WorkingWeights: in the master's scalar they are its tensors", "[models][working_weights]") {
  InScalar<Plain, EigenBackend, float> one;
  CHECK(one.weights.tree().embedding.table.data() == one.params.tree().embedding.table.data());
  CHECK(one.weights.tree().core.layers[1].ffn.up.weight.data() == one.params.tree().core.layers[1].ffn.up.weight.data());
  CHECK(one.weights.tree().head.norm.gain.data() == one.params.tree().head.norm.gain.data());
}

TEST_CASE("WorkingWeights: matrices are rounded, again after each update; vectors are the master's",
          "[models][working_weights]") {
  InScalar<Grouped, EigenBackend, Bfloat16> one;
  const auto& master = one.params.tree();
  const auto& rounded = one.weights.tree();
  const auto check = [&] {
    const auto& from = master.core.layers[1].attention.qkv.weight;
    const auto& to = rounded.core.layers[1].attention.qkv.weight;
    int wrong = 0;
    for (Index i = 0; i < from.size(); ++i) wrong += to.data()[i].bits != Bfloat16(from.data()[i]).bits;
    return wrong;
  };
  CHECK(check() == 0);
  CHECK(rounded.head.norm.gain.data() == master.head.norm.gain.data());
  CHECK(rounded.core.layers[1].ffn.up.base.weight.data() == rounded.core.layers[0].ffn.up.base.weight.data());  // shared
  for (float& x : one.params.flat()) x += 0.1F;
  CHECK(check() > 0);
  one.weights.update(one.ctx);
  CHECK(check() == 0);
}

TEMPLATE_TEST_CASE("WorkingWeights: in Bfloat16, losses and gradients near those in float", "[models][working_weights]",
                   Plain, Grouped, Learned, Sinusoidal, Windowed, Mixture, Experts) {
  const SomeBatch batch({2, 40}, 11);
  InScalar<TestType, ReferenceBackend, float> exact;
  InScalar<TestType, ReferenceBackend, Bfloat16> expected;
  InScalar<TestType, EigenBackend, Bfloat16> found;
  const float loss = exact.run(batch);
  CHECK(expected.run(batch) == Approx(loss).epsilon(5e-4));
  CHECK(found.run(batch) == Approx(loss).epsilon(5e-4));
  CHECK(deviation(exact.grads.flat(), expected.grads.flat()) < near_in_bfloat16<TestType>);
  CHECK(deviation(exact.grads.flat(), found.grads.flat()) < near_in_bfloat16<TestType>);
  CHECK(deviation(exact.grads.flat(), found.grads.flat()) > 1e-3);  // shows that numbers were rounded
}

TEST_CASE("WorkingWeights: in Bfloat16, the same bits for every number of threads", "[models][working_weights]") {
  const SomeBatch batch({3, 130}, 11);
  InScalar<Plain, EigenBackend, Bfloat16> one(1);
  const float loss = one.run(batch);
  for (const int threads : many_threads) {
    InScalar<Plain, EigenBackend, Bfloat16> many(threads);
    CHECK(many.run(batch) == loss);
    CHECK(std::equal(one.grads.flat().begin(), one.grads.flat().end(), many.grads.flat().begin()));
  }
}

TEST_CASE("WorkingWeights: training in Bfloat16 learns as training in float", "[models][working_weights]") {
  const SomeBatch batch({2, 40}, 11);
  const auto train = [&]<class S>(S, int steps) {
    InScalar<Plain, EigenBackend, S> one;
    AdamW<Plain, EigenBackend> optimizer(one.ctx, {.lr = 0.01});
    float loss = 0;
    for (int step = 0; step < steps; ++step) {
      one.grads.zero(one.ctx);
      loss = one.run(batch);
      optimizer.step(one.ctx, one.params, one.grads);
      one.weights.update(one.ctx);
    }
    return loss;
  };
  const float exact = train(float{}, 20);
  CHECK(exact < 2.2F);  // at the start it is ln 11 = 2.4
  CHECK(train(Bfloat16{}, 20) == Approx(exact).epsilon(0.04));
  CHECK(train(float{}, 60) < 1.5F);  // after 60 steps the two runs have drifted apart
  CHECK(train(Bfloat16{}, 60) < 1.5F);
}
