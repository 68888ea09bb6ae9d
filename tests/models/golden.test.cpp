// Whole models against PyTorch: logits, loss, every gradient, ten AdamW losses.
#include "golden/models.hpp"

#include <stlm/models/byte_model.hpp>

namespace {

using namespace stlm;

struct GqaRopeSwigluTied {
  static constexpr const char* file = "gqa_rope_swiglu_tied.safetensors";
  static constexpr Index batch = 2, tokens = 7;
  using Norm = RmsNorm<16>;
  using Block = PreNormBlock<Norm, Attention<16, 4, 2, 6>, SwiGlu<16, 24>>;
  using Model = LanguageModel<TokenEmbedding<19, 16>, Repeat<2, Block>, Head<Norm, 16, 19, Tied>>;
};

struct LayerNormLearnedGeluUntied {
  static constexpr const char* file = "layer_norm_learned_gelu_untied.safetensors";
  static constexpr Index batch = 3, tokens = 5;
  using Norm = LayerNorm<12>;
  using Block =
      PreNormBlock<Norm, Attention<12, 3, 3, 4, NoPosition, Causal, WithBias>, FeedForward<12, 20, Gelu, WithBias>>;
  using Model = LanguageModel<TokenEmbedding<17, 12, LearnedPosition<6>>, Repeat<2, Block>, Head<Norm, 12, 17, Untied>>;
};

struct MqaHalfSplitSharedLora {
  static constexpr const char* file = "mqa_half_split_shared_lora.safetensors";
  static constexpr Index batch = 2, tokens = 7;
  using Norm = LayerNorm<16, false>;
  using Block = PreNormBlock<Norm, Attention<16, 4, 1, 6, Rotary<RopePairs::kHalfSplit>, Bidirectional>,
                             FeedForward<16, 24, ReluSquared>, SharedAcrossLayers<2>>;
  using Model = LanguageModel<TokenEmbedding<19, 16, SinusoidalPosition>, Repeat<2, Block>, Head<Norm, 16, 19, Tied>>;
};

}  // namespace

TEMPLATE_TEST_CASE("models equal PyTorch's", "[golden]", golden::ReferenceDouble, golden::EigenDouble,
                   golden::EigenFloat) {
  golden::check_model<GqaRopeSwigluTied, TestType>();
  golden::check_model<LayerNormLearnedGeluUntied, TestType>();
  golden::check_model<MqaHalfSplitSharedLora, TestType>();
}
