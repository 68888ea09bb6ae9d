// Forward, backward, an optimiser step and the decoding of a token allocate nothing: all memory is planned in advance.

#include <stlm/backend/eigen.hpp>
#include <stlm/models/program.hpp>
#include <stlm/ops/optimizer.hpp>

#include "support/allocation_counter.hpp"
#include "support/catch.hpp"
#include "support/patch_models.hpp"
#include "support/planned.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using B = EigenBackend;

/// The allocations of one training step for each batch.
template <class Model>
long allocations_of_steps(int threads, BatchShape shape, const std::vector<Batch>& batches) {
  Context<B> ctx({.threads = threads, .seed = 1});
  Parameters<Model, B> params(ctx), grads(ctx), first(ctx), second(ctx);
  Activations<Model, B> acts(ctx, shape);
  init(ctx, params);
  auto state = ops::StepState<float>::at(AdamWOptions{}, 1, 1);
  return count_allocations([&] {
    for (const Batch& batch : batches) {
      forward(ctx, params, batch, acts, {.dropout = 0.1});
      backward(ctx, params, batch, acts, grads);
      ops::adamw(ctx, ops::StepView<float>(&state), params.flat(), grads.flat(), first.flat(), second.flat(),
                 {.clears = true});
    }
  });
}

}  // namespace

TEST_CASE("allocation: the counter counts", "[models][allocation]") {
  if (!counting) return;
  const auto seen = [](void* block) {  // keeps compilers from optimising an allocation away
    [[maybe_unused]] static void* volatile last;
    last = block;
    return block;
  };
  CHECK(count_allocations([&] { std::free(seen(std::malloc(9))); }) == 1);
  CHECK(count_allocations([&] { std::free(seen(std::calloc(3, 3))); }) == 1);
  CHECK(count_allocations([&] { std::free(seen(std::aligned_alloc(64, 128))); }) == 1);
  CHECK(count_allocations([&] { ::operator delete(seen(::operator new(9))); }) == 1);
  CHECK(count_allocations([&] { seen(Buffer<float>(9).data()); }) == 1);
  CHECK(count_allocations([] {}) == 0);
}

TEMPLATE_TEST_CASE("allocation: none in a training step", "[models][allocation]", ByteModel<Wide<SmallConfig>>,
                   ByteModel<Wide<GroupedConfig>>, ByteModel<Wide<LearnedConfig>>, ByteModel<Wide<InteriorConfig>>,
                   ByteModel<Wide<MixtureConfig>>, Mixed, Experts) {
  const SomeBatch data({2, 65}, TestType::vocabulary);
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    CHECK(allocations_of_steps<TestType>(threads, {2, 65}, {data.view()}) == 0);
  }
}

TEMPLATE_TEST_CASE("allocation: none in training steps over patches, of other lengths each time", "[models][allocation]",
                   ByteLevelModel<WidePatches<TokenPatchConfig>>, ByteLevelModel<WidePatches<QuirkyPatchConfig>>) {
  std::vector<SomePatches> data;
  std::vector<Batch> batches;
  for (const std::uint64_t seed : {1U, 2U, 3U}) data.emplace_back(BatchShape{2, 65}, TestType::window, seed);
  for (const SomePatches& some : data) batches.push_back(some.view());
  const auto bytes = [&](std::size_t i) { return std::ranges::count_if(data[i].tokens, [](Token id) { return id != 256; }); };
  CHECK((bytes(0) != bytes(1) && bytes(1) != bytes(2)));
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    CHECK(allocations_of_steps<TestType>(threads, {2, 65}, batches) == 0);
  }
}

TEMPLATE_TEST_CASE("allocation: none in decoding a token", "[models][allocation]", ByteModel<Wide<SmallConfig>>,
                   ByteModel<Wide<GroupedConfig>>, ByteModel<Wide<InteriorConfig>>, Mixed, Experts) {
  Context<B> ctx({.threads = 2, .seed = 1});
  Parameters<TestType, B> params(ctx);
  Activations<TestType, B> acts(ctx, {1, 1});
  const DecodeState<TestType> state(1, 20);
  const Token token = 5;
  init(ctx, params);
  const long count = count_allocations([&] {
    for (Index position = 0; position < 20; ++position)
      TestType::decode(ctx, params.tree(), Pass{1, 1, position}, {&token, 1, 1}, acts.cache(), state.cache);
  });
  CHECK(count == 0);
}
