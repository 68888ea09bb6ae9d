#include <stlm/models/presets/byte_level.hpp>

#include "support/catch.hpp"

using namespace stlm;
namespace presets = stlm::presets;

static_assert(num_params<presets::ByteLevel> == 55'924'736);
static_assert(num_params<presets::ByteLevel::Pool> == 3'182'080);
static_assert(num_params<presets::ByteLevel::Core> == 50'150'400);
static_assert(num_params<presets::ByteLevelFfnSharing> == 17'980'416);
static_assert(num_params<presets::ByteLevelFfnSharing::Pool> == 2'919'936);
static_assert(num_params<presets::ByteLevelFfnSharing::Core> == 12'861'440);

static_assert(num_params<presets::Bytes10M> == 10'569'856);
static_assert(num_params<presets::Bytes50M> == 50'282'688);
static_assert(num_params<presets::Bytes100M> == 99'894'528);

TEST_CASE("byte-level presets: pool and head cost a tenth of two tables, or less", "[models][presets]") {
  CHECK(presets::byte_share_saved<presets::ByteLevel> == Approx(0.9252).epsilon(1e-4));
  CHECK(presets::byte_share_saved<presets::ByteLevelFfnSharing> == Approx(0.9005).epsilon(1e-4));
  CHECK(presets::byte_share_saved<presets::Bytes10M> == Approx(0.9821).epsilon(1e-4));
  CHECK(presets::byte_share_saved<presets::Bytes50M> == Approx(0.9777).epsilon(1e-4));
  CHECK(presets::byte_share_saved<presets::Bytes100M> == Approx(0.9694).epsilon(1e-4));
}
