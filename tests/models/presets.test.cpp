// Every preset comes with one header, as a type; the exact counts are checked beside each family.
#include <stlm/models/presets.hpp>

#include "support/catch.hpp"

TEST_CASE("presets: one header has all families", "[models][presets]") {
  STATIC_REQUIRE(stlm::num_params<stlm::presets::FfnSharing> < stlm::num_params<stlm::presets::Baseline50M>);
  STATIC_REQUIRE(stlm::num_params<stlm::presets::SharingBaseline> < stlm::num_params<stlm::presets::SharingUntied>);
}
