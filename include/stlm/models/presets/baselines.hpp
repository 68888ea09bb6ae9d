// The published token-level configurations of the STLM system (arXiv 2405.14159), by name: types only.
//
//   using Model = stlm::presets::Baseline50M;                       // or a configuration of yours derived from one:
//   struct Mine : stlm::presets::Baseline50MConfig { static constexpr int layers = 12; };
#pragma once

#include <stlm/models/token_model.hpp>

namespace stlm::presets {

/// What the configurations with GPT-2's vocabulary have in common: 16 query heads that share 4 key and value heads, rotary
/// positions, RMSNorm, SwiGLU, no biases, a tied head.
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

/// All layers share one feed-forward layer.
struct FfnSharingConfig : Baseline56MConfig {
  using ffn_sharing = SharedAcrossLayers<>;
};
using FfnSharing = TokenModel<FfnSharingConfig>;  // 34,655,232 parameters

struct Cascade50MConfig : Baseline56MConfig {
  static constexpr int layers = 8;
};
using Cascade50M = TokenModel<Cascade50MConfig>;  // 49,857,536 parameters

/// 18 layers, each of which owns only its projection to queries, keys and values; all share one output projection and one
/// feed-forward layer. Biases; no norm except the head's.
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

/// Published as baseline-100m. With the 33 layers that its published comment names it would have 99,230,720 parameters.
struct Baseline38MConfig : Baseline10MConfig {
  static constexpr int vocabulary = 20032, dim = 1024, layers = 4, heads = 16, kv_heads = 8, ffn_dim = 4096;
  static constexpr bool head_bias = false;
};
using Baseline38M = TokenModel<Baseline38MConfig>;  // 38,353,920 parameters

/// Published as baseline-50m: layers share nothing, and only feed-forward layers have biases.
struct Baseline40MConfig : TokenModelDefaults {
  static constexpr int vocabulary = 10000, dim = 512, layers = 12, heads = 8, kv_heads = 4, ffn_dim = 2048;
  static constexpr bool gated = false;
  using activation = Gelu;
  using norm = NoNorm<1>;
  using head_norm = RmsNorm<1>;
  using ffn_linears = WithBias;
};
using Baseline40M = TokenModel<Baseline40MConfig>;  // 39,754,240 parameters

/// nv_1m of the vocabulary study: a million parameters in its two tables, the rest in 48 narrow layers.
struct SmallVocabulary10MConfig : TokenModelDefaults {
  static constexpr int vocabulary = 3900, dim = 128, layers = 48, heads = 8, ffn_dim = 515;
  static constexpr bool gated = false;
  using activation = Gelu;
  using head = Untied;
};
using SmallVocabulary10M = TokenModel<SmallVocabulary10MConfig>;  // 10,484,864 parameters

}  // namespace stlm::presets
