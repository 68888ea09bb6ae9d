// Forward, backward, an optimiser step and the decoding of a token allocate nothing: all memory is planned before.

#include <stlm/backend/eigen.hpp>
#include <stlm/models/program.hpp>
#include <stlm/ops/optimizer.hpp>

#include "support/allocation_counter.hpp"
#include "support/catch.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using B = EigenBackend;

template <class Config>
struct Wide : Config {
  static constexpr int vocabulary = 258, dim = 96, ffn_dim = 200;
};

}  // namespace

TEST_CASE("allocation: the counter counts", "[models][allocation]") {
  if (!counting) return;
  const auto seen = [](void* block) {  // so that no compiler leaves an allocation out
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
  for (const int threads : {1, 3}) {
    Context<B> ctx({.threads = threads, .seed = 1});
    Parameters<TestType, B> params(ctx), grads(ctx), first(ctx), second(ctx);
    Activations<TestType, B> acts(ctx, {2, 65});
    const SomeBatch data({2, 65}, TestType::vocabulary);
    const Batch batch = data.view();
    init(ctx, params);
    const long count = count_allocations([&] {
      forward(ctx, params, batch, acts, {.dropout = 0.1});
      backward(ctx, params, batch, acts, grads);
      ops::adamw(ctx, params.flat(), grads.flat(), first.flat(), second.flat(), {1e-3, 0.9, 0.99, 1e-8, 0.1, 1});
      grads.zero(ctx);
    });
    CAPTURE(threads);
    CHECK(count == 0);
  }
}

TEMPLATE_TEST_CASE("allocation: none in decoding a token", "[models][allocation]", ByteModel<Wide<SmallConfig>>,
                   ByteModel<Wide<GroupedConfig>>, ByteModel<Wide<InteriorConfig>>, Mixed, Experts) {
  Context<B> ctx({.threads = 2, .seed = 1});
  Parameters<TestType, B> params(ctx);
  Activations<TestType, B> acts(ctx, {1, 1});
  const DecodeState<TestType, B> state(1, 20);
  const Token token = 5;
  init(ctx, params);
  const long count = count_allocations([&] {
    for (Index position = 0; position < 20; ++position)
      TestType::decode(ctx, params.tree(), Pass{1, 1, position}, {&token, 1, 1}, acts.cache(), state.cache);
  });
  CHECK(count == 0);
}
