#include <stlm/nn/byte_decoder.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Free = ByteDecoder<12, 8, 5, false, 2, 2, 16>;
using Paying = ByteDecoder<12, 8, 5, true, 2, 2, 16>;

}  // namespace

TEST_CASE("ByteDecoder: pays for ends of patches where it is told to", "[nn][byte_decoder]") {
  const std::vector<Token> ids = {1, 256, 256, 256, 256, 2, 3, 4, 5, 6, 256, 256, 256, 256, 256};
  CHECK(Free::rows_predicted({{ids.data(), 3, 5}, 256, Free::emits_end}) == 6);
  CHECK(Paying::rows_predicted({{ids.data(), 3, 5}, 256, Paying::emits_end}) == 7);
  STATIC_REQUIRE(!Free::parallel);
  STATIC_REQUIRE(Free::first_patch == 1);
}

TEST_CASE("ByteDecoder: its table is the pool's, stored once", "[nn][byte_decoder]") {
  Context<ReferenceBackend> ctx;
  Parameters<SpacePatches, ReferenceBackend> params(ctx);
  CHECK(params.tree().head.table.data() == params.tree().pool.table.data());
  // Projection, positions, two blocks, a norm.
  STATIC_REQUIRE(num_params<SpacePatches> - num_params<SpacePatches::Core> - num_params<SpacePatches::Pool> ==
                 8 * 12 + 5 * 8 + 2 * (16 + 4 * 64 + 3 * 128) + 8);
}

TEST_CASE("ByteDecoder: a byte is predicted from the state and the bytes before it, wherever its patch stands", "[nn][byte_decoder]") {
  using Model = SpacePatches;
  Context<ReferenceBackend> ctx;
  Parameters<Model, ReferenceBackend, double> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  const auto logits = [&](const std::vector<Token>& next, std::vector<double> states) {
    Pass pass{1, std::ssize(next) / 5};
    pass.bytes_predicted = ops::PatchSlots{{next.data(), pass.tokens, 5}, 256}.total_bytes();
    Model::Head::Cache<double> cache{};
    Arena count;
    Model::Head::plan(count, cache, pass);
    const Buffer<std::byte> memory(static_cast<Index>(count.bytes()));
    Arena arena(memory.data(), count.kept_bytes());
    Model::Head::plan(arena, cache, pass);
    Model::Head::forward(ctx, params.tree().head, pass, View<const double, dynamic, 12>(states.data(), pass.tokens),
                         View<const Token, dynamic, dynamic>(next.data(), 1, std::ssize(next)), cache);
    return std::vector<double>(cache.logits.begin(), cache.logits.end());
  };
  std::vector<double> state(12);
  fill(state, {2, 2});
  std::vector<double> both(12);
  fill(both, {3, 3});
  both.insert(both.end(), state.begin(), state.end());
  const auto alone = logits({65, 66, 67, 256, 256}, state), second = logits({70, 71, 256, 256, 256, 65, 66, 67, 256, 256}, both);
  CHECK(std::equal(alone.begin(), alone.end(), second.begin() + 2 * 258));
}
