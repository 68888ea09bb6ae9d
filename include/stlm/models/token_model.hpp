// TokenModel<Config>: a flat language model over tokens of any vocabulary, from a configuration that is a type.
//
//   struct Small : stlm::TokenModelDefaults {                   // override what differs
//     static constexpr int vocabulary = 50257, dim = 512, layers = 8, heads = 16, ffn_dim = 1320;
//   };
//   using Model = stlm::TokenModel<Small>;
//
// A configuration must name `vocabulary` (V), `dim` (C), `layers`, `heads` (H) and `ffn_dim` (F); TokenModelDefaults has the
// rest. The published configurations are in models/presets.hpp.
#pragma once

#include <stlm/models/language_model.hpp>
#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

namespace stlm {

/// No choice of its own: the default that the comment of the member names.
struct Same {};

struct TokenModelDefaults {
  static constexpr int kv_heads = 0;      // 0: as many as heads
  static constexpr int head_dim = 0;      // 0: dim / heads
  static constexpr Token ignore = -1;     // a target that does not count
  using norm = RmsNorm<1>;                // its width is set by the model
  using position = Rotary<>;              // or another inside attention, or one added to the embedding
  using mask = Causal;
  static constexpr bool gated = true;     // SwiGLU; false: a plain feed-forward layer with `activation`
  using activation = Same;                // of a plain feed-forward layer; Same: Silu
  template <class Ffn>
  using feed_forward = Ffn;               // or MixtureOfExperts<Ffn, 4, 2>
  using linears = NoBias;                 // WithBias, WithLora, ...
  using ffn_linears = Same;               // of the feed-forward layer; Same: as linears
  using ffn_sharing = Owned;              // whose feed-forward layer a layer uses (nn/sharing.hpp)
  using out_sharing = Owned;              // whose output projection of attention it uses
  using block_sharing = Owned;            // whose whole block it uses
  using head = Tied;                      // or Untied
  using head_norm = Same;                 // Same: as norm
  static constexpr bool head_bias = false;
};

namespace detail {

template <class Choice, class Default>
using or_same = std::conditional_t<std::is_same_v<Choice, Same>, Default, Choice>;

template <class Config>
struct TokenModelParts {
  static_assert(requires { Config::vocabulary; },
                "stlm::TokenModel: the configuration lacks `vocabulary`; add `static constexpr int vocabulary = ...;`.");
  static_assert(requires { Config::dim; },
                "stlm::TokenModel, stlm::ByteModel: the configuration lacks `dim`; add `static constexpr int dim = ...;`, "
                "the model width.");
  static_assert(requires { Config::layers; },
                "stlm::TokenModel, stlm::ByteModel: the configuration lacks `layers`; add `static constexpr int layers = "
                "...;`.");
  static_assert(requires { Config::heads; },
                "stlm::TokenModel, stlm::ByteModel: the configuration lacks `heads`; add `static constexpr int heads = "
                "...;`.");
  static_assert(requires { Config::ffn_dim; },
                "stlm::TokenModel, stlm::ByteModel: the configuration lacks `ffn_dim`; add `static constexpr int ffn_dim = "
                "...;`, the width of the feed-forward layer.");
  static_assert(std::is_base_of_v<TokenModelDefaults, Config>,
                "stlm::TokenModel: the configuration lacks the defaults; derive it from stlm::TokenModelDefaults.");
  static_assert(!Config::gated || std::is_same_v<typename Config::activation, Same>,
                "stlm::TokenModel, stlm::ByteModel: `activation` is of a plain feed-forward layer, and this one is gated; "
                "add `static constexpr bool gated = false;`.");
  static_assert(requires { typename Config::norm::template WithDim<Config::dim>; },
                "stlm::TokenModel, stlm::ByteModel: `norm` lacks WithDim, by which the model sets its width; see nn/norm.hpp.");
  static_assert(Config::heads > 0 && (Config::head_dim > 0 || Config::dim % Config::heads == 0),
                "stlm::TokenModel, stlm::ByteModel: heads do not divide dim; change one of them, or set head_dim.");

  static constexpr Index dim = Config::dim, heads = Config::heads;
  static constexpr Index kv_heads = Config::kv_heads > 0 ? Config::kv_heads : heads;
  static constexpr Index head_dim = Config::head_dim > 0 ? Config::head_dim : dim / heads;
  static constexpr bool inside = PositionInside<typename Config::position>;

  using Norm = typename Config::norm::template WithDim<dim>;
  using HeadNorm = typename or_same<typename Config::head_norm, Norm>::template WithDim<dim>;
  using Added = std::conditional_t<inside, NoPosition, typename Config::position>;
  using Inside = std::conditional_t<inside, typename Config::position, NoPosition>;
  using AttentionLayer = Attention<dim, heads, kv_heads, head_dim, Inside, typename Config::mask, typename Config::linears>;
  using FfnLinears = or_same<typename Config::ffn_linears, typename Config::linears>;
  using Expert = std::conditional_t<Config::gated, SwiGlu<dim, Config::ffn_dim, FfnLinears>,
                                    FeedForward<dim, Config::ffn_dim, or_same<typename Config::activation, Silu>, FfnLinears>>;
  using Ffn = typename Config::template feed_forward<Expert>;
  using Block = PreNormBlock<Norm, AttentionLayer, Ffn, typename Config::ffn_sharing, typename Config::out_sharing>;
  using Core = Repeat<Config::layers, Block, typename Config::block_sharing>;
  using Model = LanguageModel<TokenEmbedding<Config::vocabulary, dim, Added>, Core,
                              Head<HeadNorm, dim, Config::vocabulary, typename Config::head, Config::head_bias>,
                              Config::ignore>;
};

}  // namespace detail

template <class Config>
using TokenModel = typename detail::TokenModelParts<Config>::Model;

}  // namespace stlm
