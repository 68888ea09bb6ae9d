// ByteModel<Config>: a flat language model over bytes, from a configuration that is a type.
//
//   struct Tiny : stlm::ByteModelDefaults {                     // override what differs
//     static constexpr int dim = 128, layers = 4, heads = 4, ffn_dim = 320;
//   };
//   using Model = stlm::ByteModel<Tiny>;
//
// A configuration names `dim` (C), `layers`, `heads` (H) and `ffn_dim` (F) itself; ByteModelDefaults has the rest.
#pragma once

#include <stlm/models/language_model.hpp>
#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>
#include <stlm/nn/sequential.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

struct ByteModelDefaults {
  static constexpr int vocabulary = ByteTokenizer::vocabulary;  // 256 bytes, pad, end of text
  static constexpr int kv_heads = 0;                            // 0: as many as heads
  static constexpr int head_dim = 0;                            // 0: dim / heads
  using norm = RmsNorm<1>;                                      // its width is set by the model
  using position = Rotary<>;                                    // inside attention, or learned or sinusoidal, added
  using mask = Causal;
  using activation = Silu;       // of a plain feed-forward layer
  static constexpr bool gated = true;  // SwiGLU; false: a plain feed-forward layer with `activation`
  template <class Ffn>
  using feed_forward = Ffn;      // or MixtureOfExperts<Ffn, 4, 2>
  using linears = NoBias;
  using ffn_sharing = Owned;     // or SharedAcrossLayers</*lora_rank=*/8>
  using head = Tied;             // or Untied
};

namespace detail {

template <class Position>
concept RotaryPosition = requires { Position::needs_even_heads; };

template <class Config>
struct ByteModelParts {
  static_assert(requires { Config::dim; },
                "stlm::ByteModel: the configuration lacks `dim`; add `static constexpr int dim = ...;`, the model width.");
  static_assert(requires { Config::layers; },
                "stlm::ByteModel: the configuration lacks `layers`; add `static constexpr int layers = ...;`.");
  static_assert(requires { Config::heads; },
                "stlm::ByteModel: the configuration lacks `heads`; add `static constexpr int heads = ...;`.");
  static_assert(requires { Config::ffn_dim; },
                "stlm::ByteModel: the configuration lacks `ffn_dim`; add `static constexpr int ffn_dim = ...;`, the width "
                "of the feed-forward layer.");
  static_assert(std::is_base_of_v<ByteModelDefaults, Config>,
                "stlm::ByteModel: the configuration lacks the defaults; derive it from stlm::ByteModelDefaults.");
  static_assert(Config::head_dim > 0 || Config::dim % Config::heads == 0,
                "stlm::ByteModel: heads do not divide dim; change one of them, or set head_dim.");

  static constexpr Index dim = Config::dim, heads = Config::heads;
  static constexpr Index kv_heads = Config::kv_heads > 0 ? Config::kv_heads : heads;
  static constexpr Index head_dim = Config::head_dim > 0 ? Config::head_dim : dim / heads;
  static constexpr bool rotary = RotaryPosition<typename Config::position>;

  using Norm = typename Config::norm::template WithDim<dim>;
  using Added = std::conditional_t<rotary, NoPosition, typename Config::position>;
  using Inside = std::conditional_t<rotary, typename Config::position, NoPosition>;
  using AttentionLayer = Attention<dim, heads, kv_heads, head_dim, Inside, typename Config::mask, typename Config::linears>;
  using Expert = std::conditional_t<Config::gated, SwiGlu<dim, Config::ffn_dim, typename Config::linears>,
                                    FeedForward<dim, Config::ffn_dim, typename Config::activation, typename Config::linears>>;
  using Ffn = typename Config::template feed_forward<Expert>;
  using Block = PreNormBlock<Norm, AttentionLayer, Ffn, typename Config::ffn_sharing>;
  using Model = LanguageModel<TokenEmbedding<Config::vocabulary, dim, Added>, Repeat<Config::layers, Block>,
                              Head<Norm, dim, Config::vocabulary, typename Config::head>, ByteTokenizer::pad>;
};

}  // namespace detail

template <class Config>
using ByteModel = typename detail::ByteModelParts<Config>::Model;

}  // namespace stlm
