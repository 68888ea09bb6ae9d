#include <stlm/models/byte_model.hpp>

#include "support/catch.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct Tiny : ByteModelDefaults {
  static constexpr int dim = 128, layers = 4, heads = 4, ffn_dim = 320;
};
using Model = ByteModel<Tiny>;

struct Deeper : Tiny {
  static constexpr int layers = 5;
};

}  // namespace

// The defaults: bytes, multi-head attention with adjacent rotary pairs, RMSNorm, SwiGLU, no bias, tied.
static_assert(std::is_same_v<Model::Embedding, TokenEmbedding<258, 128>>);
static_assert(std::is_same_v<Model::Core, Repeat<4, PreNormBlock<RmsNorm<128>, Attention<128, 4, 4, 32>, SwiGlu<128, 320>>>>);
static_assert(std::is_same_v<Model::Head, Head<RmsNorm<128>, 128, 258, Tied>>);
static_assert(Model::ignore == ByteTokenizer::pad);
static_assert(num_params<Model> == 258 * 128 + 4 * (4 * 128 * 128 + 3 * 128 * 320 + 2 * 128) + 128);

// Every choice of a configuration reaches its module.
static_assert(std::is_same_v<Grouped::Core, Repeat<2, PreNormBlock<LayerNorm<8>, Attention<8, 4, 2, 6, Rotary<RopePairs::kHalfSplit>>,
                                                                  SwiGlu<8, 12>, SharedAcrossLayers<Lora<2>>>>>);
static_assert(std::is_same_v<Grouped::Head, Head<LayerNorm<8>, 8, 11, Untied>>);
static_assert(std::is_same_v<Learned::Embedding, TokenEmbedding<11, 8, LearnedPosition<130>>>);
static_assert(std::is_same_v<Learned::Core, Repeat<2, PreNormBlock<LayerNorm<8, false>,
                                                                  Attention<8, 4, 1, 2, NoPosition, Causal, WithBias>,
                                                                  FeedForward<8, 12, Gelu, WithBias>>>>);
static_assert(std::is_same_v<Sinusoidal::Embedding, TokenEmbedding<11, 8, SinusoidalPosition>>);
static_assert(std::is_same_v<Sinusoidal::Head, Head<NoNorm<8>, 8, 11, Tied>>);

// Counted by hand: tables, the parameters of each layer, shared parameters, the head.
static_assert(num_params<Plain> == 88 + 2 * (16 + 4 * 64 + 3 * 96) + 8);
static_assert(num_params<Grouped> == 88 + 2 * (32 + 8 * (24 + 2 * 12) + 24 * 8 + 3 * 2 * 20) + 3 * 96 + 16 + 88);
static_assert(num_params<Learned> == 88 + 130 * 8 + 2 * (16 + 8 * 12 + 12 + 64 + 8 + 2 * 96 + 20) + 8);
static_assert(num_params<Sinusoidal> == 88 + 2 * 4 * 64 + 3 * 96);
static_assert(num_params<Unordered> == num_params<Plain> && num_params<TwoWay> == num_params<Plain>);

TEST_CASE("ByteModel: a layer more is a layer's numbers more", "[models][byte_model]") {
  STATIC_REQUIRE(num_params<ByteModel<Deeper>> - num_params<Model> == 4 * 128 * 128 + 3 * 128 * 320 + 2 * 128);
}
