#include <stlm/models/presets/next_thought.hpp>

#include "support/catch.hpp"

using namespace stlm;

// The published parameter counts, part by part; the header asserts the sum.
using Model = presets::NextThought;
static_assert(num_params<Model::Encoder> == 50257 * 768 + 512 * 768 + 5'015'040 + 10'630'272 + 2 * 44'261'760 + 66'388'800);
static_assert(num_params<Model::Core> == 2 * (4800 * 4800 + 4800));
static_assert(num_params<Model> - num_params<Model::Encoder> - num_params<Model::Core> ==
              4800 * 12'288 + 4 * 5'015'040 + 768 * 50'257);
static_assert(Model::latent == 4800);

TEST_CASE("presets: next-thought pools 512 tokens to 28", "[models][presets]") {
  using Parts = stlm::detail::NextThoughtParts<presets::NextThoughtConfig>;
  STATIC_REQUIRE(Parts::Encoder::reach<4>({1, 512}).tokens == 28);
}
