#include <stlm/models/patch_model.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"
#include "support/patch_models.hpp"

using namespace stlm;
using namespace stlm::test;

TEMPLATE_TEST_CASE("PatchModel: gradients", "[models][patch_model][gradient]", SpacePatches, TokenPatches, ParallelPatches,
                   QuirkyPatches, ReconstructingPatches) {
  check_gradients<WholePatches<TestType>>({2, 3}, 0, Derivatives::kAlongDirections);
  check_gradients<WholePatches<TestType>>({1, 6}, 0.2, Derivatives::kAlongDirections);
}

TEMPLATE_TEST_CASE("PatchModel: backends agree", "[models][patch_model][parity]", SpacePatches, TokenPatches, ParallelPatches,
                   QuirkyPatches, ReconstructingPatches) {
  check_backends<WholePatches<TestType>>();
  check_backends<WholePatches<TestType>>(0.2);
}

TEMPLATE_TEST_CASE("PatchModel: forward and backward in one", "[models][patch_model]", SpacePatches, TokenPatches, ParallelPatches,
                   QuirkyPatches, ReconstructingPatches, StridePatches) {
  constexpr BatchShape shape{2, 6};
  const SomePatches some(shape, TestType::window);
  Context<EigenBackend> ctx({.threads = 2, .seed = 1});
  Parameters<TestType, EigenBackend> params(ctx), expected(ctx), found(ctx);
  Activations<TestType, EigenBackend> acts(ctx, shape);
  init(ctx, params);
  const float loss = forward(ctx, params, some.view(), acts);
  CHECK(acts.targets() == TestType::count_targets(some.view()));
  backward(ctx, params, some.view(), acts, expected, 0.5);
  CHECK(forward_backward(ctx, params, some.view(), acts, found, 0.5) == Approx(loss).epsilon(1e-6));
  CHECK(acts.targets() == TestType::count_targets(some.view()));
  CHECK(deviation(expected.flat(), found.flat()) < 1e-6);
}

TEMPLATE_TEST_CASE("PatchModel: a batch of empty patches costs nothing and teaches nothing", "[models][patch_model]", SpacePatches,
                   TokenPatches, ParallelPatches, QuirkyPatches) {
  const std::vector<Token> empty(static_cast<std::size_t>(2 * 3 * TestType::window), TestType::pad);
  const View<const Token, dynamic, dynamic> slots(empty.data(), 2, 3 * TestType::window);
  Context<EigenBackend> ctx({.threads = 2, .seed = 1});
  Parameters<TestType, EigenBackend> params(ctx), grads(ctx);
  Activations<TestType, EigenBackend> acts(ctx, {2, 3});
  init(ctx, params);
  CHECK(forward(ctx, params, Batch{slots, slots}, acts) == 0);
  CHECK(acts.targets() == 0);
  TestType::backward(ctx, params.tree(), acts.pass(), Batch{slots, slots}, acts.cache(), grads.tree(), 1);
  CHECK(std::all_of(grads.flat().begin(), grads.flat().end(), [](float g) { return g == 0; }));
}

TEST_CASE("PatchModel: a batch of more bytes than planned is refused", "[models][patch_model]") {
  Context<EigenBackend> ctx;
  Parameters<SpacePatches, EigenBackend> params(ctx);
  Activations<SpacePatches, EigenBackend> acts(ctx, {2, 6, 8});
  const SomePatches some({2, 6}, SpacePatches::window);
  CHECK_THROWS_AS(forward(ctx, params, some.view(), acts), ShapeError);
  CHECK_THROWS_WITH(acts.fit(9, 8),
                    "stlm::Activations: the batch has 9 bytes to read and 8 symbols to predict, room for 8 and 8 was planned; set "
                    "BatchShape::bytes, or give fewer.");
  // A module in which every slot is a row has room for all slots, whatever number of bytes is planned.
  Activations<ParallelPatches, EigenBackend> packed(ctx, {2, 6, 8});
  CHECK_NOTHROW(packed.fit(8, 2 * 6 * ParallelPatches::window));
  CHECK_THROWS_AS(packed.fit(9, 2 * 6 * ParallelPatches::window), ShapeError);
  Activations<QuirkyPatches, EigenBackend> slots(ctx, {2, 6, 8});
  CHECK_NOTHROW(slots.fit(2 * 6 * QuirkyPatches::window, 2 * 6 * QuirkyPatches::window));
  STATIC_REQUIRE(activation_bytes<SpacePatches>({2, 6, 8}) < activation_bytes<SpacePatches>({2, 6}));
}
