// Small models that together use every part: position, norm, kind of heads, feed-forward layer, sharing, head.
#pragma once

#include <stlm/models/byte_model.hpp>
#include <stlm/nn/lora_mixture.hpp>
#include <stlm/nn/mixture_of_experts.hpp>

#include "support/column_scale.hpp"
#include "support/numbers.hpp"

namespace stlm::test {

struct SmallConfig : ByteModelDefaults {
  static constexpr int vocabulary = 11, dim = 8, layers = 2, heads = 4, ffn_dim = 12;
};

/// Wide enough for every op to split its work.
template <class Config>
struct Wide : Config {
  static constexpr int vocabulary = 258, dim = 96, ffn_dim = 200;
};

/// Multi-head, rotary, RMSNorm, SwiGLU, tied.
using Plain = ByteModel<SmallConfig>;

struct GroupedConfig : SmallConfig {
  static constexpr int kv_heads = 2, head_dim = 6;
  using position = Rotary<RopePairs::kHalfSplit>;
  using norm = LayerNorm<1>;
  using ffn_sharing = SharedAcrossLayers<Lora<2>>;
  using head = Untied;
};
/// Grouped-query, half-split rotary, LayerNorm, a shared feed-forward layer with low-rank terms for each layer, untied.
using Grouped = ByteModel<GroupedConfig>;

struct LearnedConfig : SmallConfig {
  static constexpr int kv_heads = 1;
  static constexpr bool gated = false;
  using position = LearnedPosition<130>;
  using norm = LayerNorm<1, false>;
  using activation = Gelu;
  using linears = WithBias;
};
/// Multi-query, learned positions, LayerNorm without bias, a plain feed-forward layer, biases: as in GPT-2.
using Learned = ByteModel<LearnedConfig>;

struct SinusoidalConfig : SmallConfig {
  using position = SinusoidalPosition;
  using norm = NoNorm<1>;
  using ffn_sharing = SharedAcrossLayers<>;
};
/// Sinusoidal positions, no norm, one feed-forward layer for all.
using Sinusoidal = ByteModel<SinusoidalConfig>;

struct UnorderedConfig : SmallConfig {
  using position = NoPosition;
};
/// No positions: only the mask tells the order of tokens.
using Unordered = ByteModel<UnorderedConfig>;

struct WindowedConfig : SmallConfig {
  using position = Alibi;
  using mask = SlidingWindow<5>;
};
/// Linear biases and a sliding window.
using Windowed = ByteModel<WindowedConfig>;

struct InteriorConfig : SmallConfig {
  static constexpr int layers = 5;
  using ffn_sharing = SharedInterior<1, BiasedLora<2>>;
};
/// Layers 2 and 3 share a feed-forward layer, each with its own low-rank terms.
using Interior = ByteModel<InteriorConfig>;

struct RepeatedConfig : SmallConfig {
  static constexpr int layers = 4;
  using block_sharing = Blockwise<2>;
};
/// Two blocks, each twice in a row.
using Repeated = ByteModel<RepeatedConfig>;

struct LeanConfig : LearnedConfig {
  static constexpr int layers = 3;
  static constexpr bool head_bias = true;
  using position = Rotary<>;
  using norm = NoNorm<1>;
  using head_norm = RmsNorm<1>;
  using ffn_sharing = SharedAcrossLayers<>;
  using out_sharing = SharedAcrossLayers<>;
};
/// Layers own only queries, keys and values; no norm except the head's; biases, in the head too.
using Lean = ByteModel<LeanConfig>;

struct MixtureConfig : SmallConfig {
  using ffn_linears = LoraMixture<2, 2>;
  using ffn_sharing = SharedAcrossLayers<>;
};
/// One feed-forward layer for all, with a gated mixture of low-rank terms.
using Mixture = ByteModel<MixtureConfig>;

/// A user's module between ours.
using Mixed = LanguageModel<TokenEmbedding<11, 8>,
                            Sequential<Plain::Core, ColumnScale<8>,
                                       PreNormBlock<LayerNorm<8>, Attention<8, 2, 1, 4>, FeedForward<8, 12, ReluSquared>>>,
                            Head<RmsNorm<8>, 8, 11>>;

struct BalancedMixture : MixtureDefaults {
  static constexpr double load_balance = 0.5;
};
struct ExpertsConfig : SmallConfig {
  static constexpr bool gated = false;
  using activation = GlobalLearnedActivation;
  template <class Ffn>
  using feed_forward = MixtureOfExperts<Ffn, 4, 2, BalancedMixture>;
};
/// Two of four experts a row, with a load-balance loss, and one trained activation in all of them.
using Experts = ByteModel<ExpertsConfig>;

struct TwoWayConfig : SmallConfig {
  using mask = Bidirectional;
};
/// Every token sees every other: not for generation.
using TwoWay = ByteModel<TwoWayConfig>;

struct TalkingConfig : SmallConfig {
  static constexpr int vocabulary = 258, kv_heads = 2;
};
/// A model of bytes, which generates text.
using Talking = ByteModel<TalkingConfig>;

struct PaddedConfig : ByteModelDefaults {
  static constexpr int dim = 64, layers = 2, heads = 4, kv_heads = 2, ffn_dim = 96;
};
/// In int8, rows of 64 and 96 numbers take 64 and 128 bytes.
using Padded = ByteModel<PaddedConfig>;

/// One batch: tokens from a seed; every target is the next token.
struct SomeBatch {
  std::vector<Token> tokens, targets;
  BatchShape shape;

  SomeBatch(BatchShape batch_shape, Index vocabulary, std::uint64_t seed = 1) : shape(batch_shape) {
    for (Index b = 0; b < shape.batch; ++b) {
      const auto text = some_tokens(shape.tokens + 1, vocabulary, RandomKey::from_seed(seed).fold(static_cast<std::uint64_t>(b)));
      tokens.insert(tokens.end(), text.begin(), text.end() - 1);
      targets.insert(targets.end(), text.begin() + 1, text.end());
    }
  }
  Batch view() const { return {{tokens.data(), shape.batch, shape.tokens}, {targets.data(), shape.batch, shape.tokens}}; }
};

}  // namespace stlm::test
