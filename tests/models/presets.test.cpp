// One header provides every preset, as a type; the tests of each family check the exact parameter counts.
#include <stlm/models/presets.hpp>

#include "support/catch.hpp"

TEST_CASE("presets: one header has all families", "[models][presets]") {
  STATIC_REQUIRE(stlm::num_params<stlm::presets::FfnSharing> < stlm::num_params<stlm::presets::Baseline50M>);
  STATIC_REQUIRE(stlm::num_params<stlm::presets::SharingBaseline> < stlm::num_params<stlm::presets::SharingUntied>);
}
