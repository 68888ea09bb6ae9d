// Whole models against PyTorch: logits, loss, every gradient, and the losses of ten AdamW steps.
#include "golden/models.hpp"

#include <stlm/models/presets/baselines.hpp>
#include <stlm/nn/lora_mixture.hpp>

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

struct WindowedAlibi {
  static constexpr const char* file = "windowed_alibi.safetensors";
  static constexpr Index batch = 2, tokens = 7;
  using Norm = RmsNorm<16>;
  using Block = PreNormBlock<Norm, Attention<16, 6, 3, 6, Alibi, SlidingWindow<3>>, SwiGlu<16, 24>>;
  using Model = LanguageModel<TokenEmbedding<19, 16>, Repeat<2, Block>, Head<Norm, 16, 19, Tied>>;
};

struct MqaHalfSplitSharedLora {
  static constexpr const char* file = "mqa_half_split_shared_lora.safetensors";
  static constexpr Index batch = 2, tokens = 7;
  using Norm = LayerNorm<16, false>;
  using Block = PreNormBlock<Norm, Attention<16, 4, 1, 6, Rotary<RopePairs::kHalfSplit>, Bidirectional>,
                             FeedForward<16, 24, ReluSquared>, SharedAcrossLayers<Lora<2>>>;
  using Model = LanguageModel<TokenEmbedding<19, 16, SinusoidalPosition>, Repeat<2, Block>, Head<Norm, 16, 19, Tied>>;
};

struct TinyConfig : TokenModelDefaults {
  static constexpr int vocabulary = 13, dim = 8, layers = 3, heads = 4, kv_heads = 2, head_dim = 4, ffn_dim = 12;
};
template <class Config>
struct Tiny {
  static constexpr Index batch = 2, tokens = 6;
  using Model = TokenModel<Config>;
};

struct FfnSharingConfig : TinyConfig {
  using ffn_sharing = SharedAcrossLayers<>;
};
struct FfnSharing : Tiny<FfnSharingConfig> {
  static constexpr const char* file = "ffn_sharing.safetensors";
};

struct InteriorBiasedLoraConfig : TinyConfig {
  static constexpr int layers = 5;
  using ffn_sharing = SharedInterior<1, BiasedLora<2>>;
};
struct InteriorBiasedLora : Tiny<InteriorBiasedLoraConfig> {
  static constexpr const char* file = "interior_biased_lora.safetensors";
};

struct CyclicScaledLoraConfig : TinyConfig {
  static constexpr int layers = 4;
  using ffn_sharing = Cyclic<2, Lora<2, 1>>;
};
struct CyclicScaledLora : Tiny<CyclicScaledLoraConfig> {
  static constexpr const char* file = "cyclic_scaled_lora.safetensors";
};

struct SharedOutputNoNormsConfig : presets::Baseline10MConfig {
  static constexpr int vocabulary = 13, dim = 8, layers = 3, heads = 4, kv_heads = 2, head_dim = 4, ffn_dim = 12;
};
struct SharedOutputNoNorms : Tiny<SharedOutputNoNormsConfig> {
  static constexpr const char* file = "shared_output_no_norms.safetensors";
};

struct SharedLoraMixtureConfig : TinyConfig {
  static constexpr int layers = 2;
  using ffn_linears = LoraMixture<3, 2, 1>;
  using ffn_sharing = SharedAcrossLayers<>;
};
struct SharedLoraMixture : Tiny<SharedLoraMixtureConfig> {
  static constexpr const char* file = "shared_lora_mixture.safetensors";
};

struct OneGateLoraMixtureConfig : SharedLoraMixtureConfig {
  using mask = Bidirectional;
  using ffn_linears = LoraMixture<3, 2, 1, GateOf::kSequence>;
};
struct OneGateLoraMixture : Tiny<OneGateLoraMixtureConfig> {
  static constexpr const char* file = "one_gate_lora_mixture.safetensors";
};

}  // namespace

TEMPLATE_TEST_CASE("models equal PyTorch's", "[golden]", golden::ReferenceDouble, golden::EigenDouble,
                   golden::EigenFloat) {
  golden::check_model<GqaRopeSwigluTied, TestType>();
  golden::check_model<LayerNormLearnedGeluUntied, TestType>();
  golden::check_model<MqaHalfSplitSharedLora, TestType>();
  golden::check_model<FfnSharing, TestType>();
  golden::check_model<InteriorBiasedLora, TestType>();
  golden::check_model<CyclicScaledLora, TestType>();
  golden::check_model<SharedOutputNoNorms, TestType>();
  golden::check_model<SharedLoraMixture, TestType>();
  golden::check_model<WindowedAlibi, TestType>();
  golden::check_model<OneGateLoraMixture, TestType>();
}
