#include <stlm/nn/byte_policy.hpp>

#include "support/catch.hpp"

using stlm::CorrectBytes;
using stlm::ReferenceQuirks;

TEST_CASE("byte policies: the faults are all on one side", "[nn][byte_policy]") {
  STATIC_REQUIRE(CorrectBytes::masks_pads);
  STATIC_REQUIRE(CorrectBytes::ffn_residual);
  STATIC_REQUIRE(CorrectBytes::final_norm);
  STATIC_REQUIRE(!CorrectBytes::positions_twice);
  STATIC_REQUIRE(!ReferenceQuirks::masks_pads);
  STATIC_REQUIRE(!ReferenceQuirks::ffn_residual);
  STATIC_REQUIRE(!ReferenceQuirks::final_norm);
  STATIC_REQUIRE(ReferenceQuirks::positions_twice);
}
