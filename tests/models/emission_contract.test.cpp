// compile_fail tests that combinations which leak do not compile; patch_causality tests that those which compile do not leak.
#include <stlm/models/emission_contract.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

template <class Model>
constexpr bool holds =
    EmissionContract<typename Model::Boundary, typename Model::Pool, typename Model::Core, typename Model::Head>::holds;

}  // namespace

TEST_CASE("EmissionContract: what each part says of itself", "[models][emission_contract]") {
  STATIC_REQUIRE(holds<SpacePatches> && holds<TokenPatches> && holds<ParallelPatches> && holds<StridePatches>);
  STATIC_REQUIRE(SpaceLike::known_from_past && Whitespace::known_from_past && FixedStride<4>::known_from_past);
  STATIC_REQUIRE(!TokenBoundary::known_from_past);
  STATIC_REQUIRE(SpacePatches::Pool::reads_ahead == 0 && StridePatches::Pool::reads_ahead == 0);
  STATIC_REQUIRE(!SpacePatches::Head::emits_end && TokenPatches::Head::emits_end && ParallelPatches::Head::emits_end);
}
