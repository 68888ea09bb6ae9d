#include <stlm/models/presets/byte_level.hpp>

#include "support/catch.hpp"

using namespace stlm;
namespace presets = stlm::presets;

// The published models: GPT-2's tokens as patches, all faults of the reference, all bytes predicted at once.
static_assert(std::is_same_v<presets::ByteLevel::Boundary, TokenBoundary>);
static_assert(std::is_same_v<presets::ByteLevel::Pool, BytePool<768, 128, 12, ReferenceQuirks>>);
static_assert(std::is_same_v<presets::ByteLevel::Head, ParallelByteHead<768, 128, 12, ReferenceQuirks>>);
static_assert(std::is_same_v<presets::ByteLevelFfnSharing::Pool, BytePool<512, 128, 12, ReferenceQuirks>>);
static_assert(presets::ByteLevel::reconstructs && !presets::ByteLevelFfnSharing::reconstructs);
// Our models: patches end after words, one block in the pool, two in the decoder, ends that need no prediction.
static_assert(std::is_same_v<presets::Bytes10M::Boundary, SpaceLike>);
static_assert(std::is_same_v<presets::Bytes10M::Pool, BytePool<512, 128, 12, CorrectBytes, ByteBlocks<ByteBlock<128, 512, 512, 4>>>>);
static_assert(std::is_same_v<presets::Bytes10M::Head, ByteDecoder<512, 128, 12, false, 2, 4, 384>>);
static_assert(std::is_same_v<presets::Bytes50M::Head, ByteDecoder<1024, 192, 12, false, 2, 4, 576>>);

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
