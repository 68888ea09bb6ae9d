#include <stlm/models/token_model.hpp>

#include "support/catch.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct Config : TokenModelDefaults {
  static constexpr int vocabulary = 70000, dim = 16, layers = 6, heads = 4, ffn_dim = 40;
};
using Model = TokenModel<Config>;

struct EverythingConfig : Config {
  static constexpr int kv_heads = 2, head_dim = 6;
  static constexpr Token ignore = 69999;
  static constexpr bool gated = false, head_bias = true;
  using activation = Relu;
  using norm = NoNorm<1>;
  using head_norm = LayerNorm<1>;
  using linears = WithBias;
  using ffn_linears = LoraMixture<2, 3>;
  using ffn_sharing = Cyclic<2>;
  using out_sharing = SharedInterior<1>;
  using block_sharing = Blockwise<3>;
  using head = Untied;
};

}  // namespace

static_assert(std::is_same_v<Model, LanguageModel<TokenEmbedding<70000, 16>,
                                                  Repeat<6, PreNormBlock<RmsNorm<16>, Attention<16, 4, 4, 4>, SwiGlu<16, 40>>>,
                                                  Head<RmsNorm<16>, 16, 70000>, -1>>);
static_assert(
    std::is_same_v<TokenModel<EverythingConfig>,
                   LanguageModel<TokenEmbedding<70000, 16>,
                                 Repeat<6,
                                        PreNormBlock<NoNorm<16>, Attention<16, 4, 2, 6, Rotary<>, Causal, WithBias>,
                                                     FeedForward<16, 40, Relu, LoraMixture<2, 3>>, Cyclic<2>, SharedInterior<1>>,
                                        Blockwise<3>>,
                                 Head<LayerNorm<16>, 16, 70000, Untied, true>, 69999>>);

// Counted by hand: the table, the parameters of each layer, shared parameters, the head.
static_assert(num_params<Model> == 16 * 70000 + 6 * (4 * 16 * 16 + 3 * 16 * 40 + 2 * 16) + 16);
static_assert(num_params<Interior> == 88 + 5 * (16 + 4 * 64) + 4 * 3 * 96 + 2 * (3 * (2 * 20 + 2) + 12 + 12 + 8) + 8);
static_assert(num_params<Repeated> == 88 + 2 * (16 + 4 * 64 + 3 * 96) + 8);
static_assert(num_params<Lean> == 88 + 3 * (8 * 12 + 12) + 64 + 8 + 2 * 96 + 20 + 8 + 11);
static_assert(num_params<Mixture> == 88 + 2 * (16 + 4 * 64) + 3 * (96 + 4 * 20) + 2 * (8 + 8 + 12) + 8);

TEST_CASE("TokenModel: layers that share cost what layers of their own cost", "[models][token_model]") {
  STATIC_REQUIRE(Repeated::flops_per_token(10) - Plain::flops_per_token(10) == Plain::Core::flops_per_token(10));
  STATIC_REQUIRE(Interior::flops_per_token(10) ==
                 2.5 * Plain::Core::flops_per_token(10) + 2 * 2 * 3 * 2 * 20 + Plain::Head::flops_per_token(10));
}
