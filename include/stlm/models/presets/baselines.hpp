// The published token-level configurations of the STLM system (arXiv 2405.14159), by name: types only.
//
//   using Model = stlm::presets::Baseline50M;                       // or a configuration of yours derived from one:
//   struct Mine : stlm::presets::Baseline50MConfig { static constexpr int layers = 12; };
#pragma once

#include <stlm/models/token_model.hpp>

namespace stlm::presets {

/// What they have in common: GPT-2's vocabulary, 16 heads that share 4 of keys and values, rotary positions, RMSNorm,
/// SwiGLU, no biases, a tied head.
struct Gpt2VocabularyConfig : TokenModelDefaults {
  static constexpr int vocabulary = 50257, heads = 16, kv_heads = 4;
};

struct Baseline56MConfig : Gpt2VocabularyConfig {
  static constexpr int dim = 512, layers = 10, ffn_dim = 1536;
};
using Baseline56M = TokenModel<Baseline56MConfig>;  // 55,888,896 parameters

struct Baseline50MConfig : Baseline56MConfig {
  static constexpr int layers = 8, ffn_dim = 1320;
};
using Baseline50M = TokenModel<Baseline50MConfig>;  // 47,203,328 parameters

/// All layers use one feed-forward layer.
struct FfnSharingConfig : Baseline56MConfig {
  using ffn_sharing = SharedAcrossLayers<>;
};
using FfnSharing = TokenModel<FfnSharingConfig>;  // 34,655,232 parameters

struct Cascade50MConfig : Baseline56MConfig {
  static constexpr int layers = 8;
};
using Cascade50M = TokenModel<Cascade50MConfig>;  // 49,857,536 parameters

/// 18 layers that own no more than their queries, keys and values: one output projection and one feed-forward layer for
/// all, biases, no norm but the head's.
struct Baseline10MConfig : TokenModelDefaults {
  static constexpr int vocabulary = 9984, dim = 384, layers = 18, heads = 8, kv_heads = 4, ffn_dim = 1536;
  static constexpr bool gated = false, head_bias = true;
  using activation = Gelu;
  using norm = NoNorm<1>;
  using head_norm = RmsNorm<1>;
  using linears = WithBias;
  using ffn_sharing = SharedAcrossLayers<>;
  using out_sharing = SharedAcrossLayers<>;
};
using Baseline10M = TokenModel<Baseline10MConfig>;  // 10,495,872 parameters

}  // namespace stlm::presets
