#include <stlm/models/reconstruction.hpp>

#include <stlm/backend/eigen.hpp>

#include "support/gradient_check.hpp"
#include "support/patch_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct ThreefoldConfig : ParallelConfig {
  using reconstruction = WithReconstruction<3>;
};
using ThreefoldPatches = ByteLevelModel<ThreefoldConfig>;

/// The auxiliary loss of a model, and the mean loss of its head on the pooled vectors.
template <class Model>
std::pair<float, float> added_and_by_hand() {
  constexpr BatchShape shape{2, 6};
  const SomePatches some(shape, Model::window);
  const Batch batch = some.view();
  Context<EigenBackend> ctx({.threads = 2, .seed = 1});
  Parameters<Model, EigenBackend> params(ctx);
  Activations<Model, EigenBackend> acts(ctx, shape);
  init(ctx, params);
  forward(ctx, params, batch, acts);
  const float added = auxiliary_loss(acts);
  const auto& cache = acts.cache();
  Model::Head::forward(ctx, params.tree().head, acts.pass(), cache.pooled, batch.tokens, cache.head);
  const View<const Token, dynamic, dynamic> targets(cache.head.targets.data(), 1, cache.head.targets.size());
  const auto sum = ops::cross_entropy_forward(ctx, cache.head.logits, targets, Model::ignore, cache.losses, cache.lse);
  return {added, sum.mean()};
}

}  // namespace

TEST_CASE("WithReconstruction: the loss of the head on what was pooled", "[models][reconstruction]") {
  const auto [added, by_hand] = added_and_by_hand<ReconstructingPatches>();
  CHECK(by_hand > 4);  // not much less than log(258)
  CHECK(added == Approx(by_hand).epsilon(1e-6));
}

TEST_CASE("WithReconstruction: times its weight", "[models][reconstruction]") {
  const auto [added, by_hand] = added_and_by_hand<ThreefoldPatches>();
  CHECK(added == Approx(3 * by_hand).epsilon(1e-6));
  check_gradients<WholePatches<ThreefoldPatches>>({1, 3}, 0, Derivatives::kAlongDirections);
}

TEST_CASE("NoReconstruction: nothing", "[models][reconstruction]") {
  const auto [added, by_hand] = added_and_by_hand<ParallelPatches>();
  CHECK(added == 0);
  CHECK(by_hand > 4);
}
