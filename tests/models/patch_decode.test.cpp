// Decoding patch by patch and byte by byte equals the full pass: bit for bit on ReferenceBackend, up to rounding on Eigen.

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"
#include "support/planned.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// The deviation of one sequence's decoded logits from those of a full pass. The first `prompt` patches are read at once.
template <class Model, class B, class T>
double decode_error(Index patches, Index prompt) {
  constexpr Index window = Model::window;
  Context<B> ctx({.threads = 2, .seed = 1});
  Parameters<Model, B, T> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  Activations<Model, B, T> full(ctx, {1, patches});
  const SomePatches some({1, patches}, window);
  const Batch batch = some.view();
  forward(ctx, params, batch, full);
  const auto& expected = full.cache().head;

  const DecodeState<Model, T> core(1, patches);
  const PlannedCache<typename Model::Head::template KvCache<T>> bytes(
      [](Arena& a, auto& c) { Model::Head::plan_decode(a, c, 1); });
  Pass one{1, 1};
  one.bytes_predicted = 1;
  const Planned<typename Model::Head, T> head(one);
  double largest = 0;
  for (Index s = 0; s < patches;) {
    const Index read = s == 0 ? prompt : 1;
    Pass pass{1, read, s};
    const View<const Token, dynamic, dynamic> slots(batch.tokens.data() + s * window, 1, read * window);
    pass.bytes_read = ops::PatchSlots{{slots.data(), read, window}, Model::pad}.total_bytes();
    const PlannedCache<typename Model::template StateCache<T>> states(
        [&](Arena& a, auto& c) { Model::plan_states(a, c, pass); });
    Model::decode(ctx, params.tree(), pass, slots, states.cache, core.cache);
    s += read;
    const View<const T, dynamic, Model::dim> state(&states.cache.last(read - 1, 0), 1);
    for (Index r = expected.offsets(s - 1); r < expected.offsets(s); ++r) {
      Model::Head::decode(ctx, params.tree().head, r - expected.offsets(s - 1), state, expected.inputs(r), head.cache,
                          bytes.cache);
      const std::vector<T> wanted(&expected.logits(r, 0), &expected.logits(r, 0) + Model::vocabulary);
      largest = std::max(largest, deviation(wanted, head.cache.logits));
    }
  }
  return largest;
}

}  // namespace

TEMPLATE_TEST_CASE("decoding of patches equals the full pass", "[models][decode]", SpacePatches, TokenPatches) {
  for (const Index prompt : {1, 7}) {
    CHECK(decode_error<TestType, ReferenceBackend, double>(12, prompt) == 0);
    CHECK(decode_error<TestType, ReferenceBackend, float>(12, prompt) == 0);
    CHECK(decode_error<TestType, EigenBackend, double>(12, prompt) < 1e-13);
    CHECK(decode_error<TestType, EigenBackend, float>(12, prompt) < 1e-5);
  }
}
