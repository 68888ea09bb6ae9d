#include <stlm/models/presets/weight_sharing.hpp>

#include "support/catch.hpp"

using namespace stlm;
using namespace stlm::presets;

static_assert(num_params<SharingBaseline> == 49'197'984);
static_assert(num_params<SharingUntied> == 75'733'680);
static_assert(num_params<SharingAllWide> == 49'803'264);
static_assert(num_params<SharingK1Wide> == 49'400'000);
static_assert(num_params<SharingK2Wide> == 48'801'760);
static_assert(num_params<SharingAllDeep> == 49'232'192);
static_assert(num_params<SharingK2Deep> == 50'331'968);
static_assert(num_params<SharingR64Wide> == 49'810'044);
static_assert(num_params<SharingR64K1Wide> == 49'483'286);
static_assert(num_params<SharingR64Deep> == 49'938'154);
static_assert(num_params<SharingR64K2Deep> == 49'528'320);

namespace {

/// FLOPs of a token without those of attention's scores, which have no parameters.
template <class Model>
constexpr double matrix_flops = Model::flops_per_token(0);

}  // namespace

TEST_CASE("weight-sharing presets: FLOPs count every use of a shared matrix, and low-rank terms where they are",
          "[models][presets]") {
  // 8 layers use a feed-forward layer each; all but the first use the same one.
  constexpr double ffn = 3.0 * 672 * 1733, norms = 17 * 672;
  STATIC_REQUIRE(matrix_flops<SharingAllWide> == 2 * (num_params<SharingAllWide> - norms + 6 * ffn));
  // 7 layers have low-rank terms, whose biases cost no products.
  constexpr double lora_ffn = 3.0 * 640 * 1650, lora_biases = 7 * (3 * 64 + 2 * 1650 + 640);
  STATIC_REQUIRE(matrix_flops<SharingR64Wide> ==
                 2 * (num_params<SharingR64Wide> - 17 * 640 - lora_biases + 6 * lora_ffn));
}
