#include <stlm/models/byte_level_model.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct Small : ByteLevelDefaults {
  static constexpr int dim = 64, layers = 3, heads = 4, ffn_dim = 96;
};
using Model = ByteLevelModel<Small>;

}  // namespace

// The defaults: patches end after words; the reference's pool without its faults; an autoregressive decoder.
static_assert(std::is_same_v<Model::Boundary, SpaceLike>);
static_assert(std::is_same_v<Model::Pool, BytePool<64, 128, 12, CorrectBytes, ReferenceByteBlocks<64, 128>>>);
static_assert(std::is_same_v<Model::Core, Repeat<3, PreNormBlock<RmsNorm<64>, Attention<64, 4, 4, 16>, SwiGlu<64, 96>>>>);
static_assert(std::is_same_v<Model::Head, ByteDecoder<64, 128, 12, false, 2, 4, 384>>);

// Every choice of a configuration reaches its module; ends of patches are predicted if the boundary looks ahead.
static_assert(std::is_same_v<TokenPatches::Head, ByteDecoder<12, 8, 5, true, 2, 2, 16>>);
static_assert(std::is_same_v<SpacePatches::Pool, BytePool<12, 8, 5, CorrectBytes, ByteBlocks<ByteBlock<8, 8, 16, 2>, ByteBlock<8, 12, 16, 2>>>>);
static_assert(std::is_same_v<ParallelPatches::Head, ParallelByteHead<12, 8, 5, CorrectBytes, 2, 2>>);
static_assert(std::is_same_v<QuirkyPatches::Pool, BytePool<12, 8, 5, ReferenceQuirks>>);
static_assert(std::is_same_v<StridePatches::Pool, StridePool<12, 4, 130>>);
static_assert(std::is_same_v<StridePatches::Head, LinearByteHead<12, 4, false>>);
static_assert(QuirkyPatches::reconstructs && !ParallelPatches::reconstructs);

// Counted by hand: table and positions, the parameters of each block or layer, then the head's.
constexpr Index square = 16 + 4 * 64;  // two norms and the attention of a byte block of width 8
static_assert(num_params<SpacePatches::Pool> == 258 * 8 + 5 * 8 + (square + 2 * 8 * 16) + (square + 8 * 16 + 16 * 12));
static_assert(num_params<SpacePatches::Core> == 2 * (24 + 4 * 144 + 3 * 120));
static_assert(num_params<SpacePatches> == num_params<SpacePatches::Pool> + num_params<SpacePatches::Core> +  // no own table
                                              8 * 12 + 5 * 8 + 2 * (square + 3 * 8 * 16) + 8);
static_assert(num_params<ParallelPatches> == num_params<SpacePatches::Pool> + num_params<SpacePatches::Core> +
                                                 5 * 8 * 12 + 5 * 8 + 2 * (square + 2 * 8 * 32) + 8 + 258 * 8);

TEST_CASE("ByteLevelModel: packed rows cost what there are bytes", "[models][byte_level_model]") {
  // Pool and decoder run once a byte, the core and one projection once a patch.
  const double byte = Model::Pool::flops_per_byte() + Model::Head::flops_per_byte();
  const double patch = Model::Core::flops_per_token(100) + Model::Head::flops_per_patch();
  CHECK(Model::flops_per_byte(100, 5) == Approx(byte + patch / 5));
  // With the reference's faults, pool and head run once for every slot, empty or not.
  const double slots = QuirkyPatches::Pool::flops_per_byte() + QuirkyPatches::Head::flops_per_byte();
  const double once = QuirkyPatches::Core::flops_per_token(100) + QuirkyPatches::Head::flops_per_patch();
  CHECK(QuirkyPatches::flops_per_byte(100, 2.5) == Approx(2 * slots + once / 2.5));
}
