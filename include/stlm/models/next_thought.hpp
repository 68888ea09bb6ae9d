// NextThought<Config>: a next-thought model over bytes, from a configuration that is a type.
//
//   struct Small : stlm::NextThoughtDefaults {                     // override what differs
//     static constexpr int dim = 64, heads = 4, ffn_dim = 128;
//     static constexpr stlm::PoolShape pools[] = {{.width = 96, .drop_per_mille = 300}, {.width = 128, .drop_per_mille = 500}};
//   };
//   using Model = stlm::NextThought<Small>;
//
// A configuration must name `dim` (C), `heads` (H), `ffn_dim` (F) and `pools`. Each pool drops `drop_per_mille` of 1000 tokens
// and maps the others to `width`; the last width is that of the latent vector.
#pragma once

#include <iterator>

#include <stlm/models/next_thought_model.hpp>
#include <stlm/nn/block.hpp>
#include <stlm/nn/latent_core.hpp>
#include <stlm/nn/latent_decoder.hpp>
#include <stlm/nn/latent_encoder.hpp>
#include <stlm/nn/repeat.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

struct PoolShape {
  int width, drop_per_mille;
};

struct NextThoughtDefaults {
  static constexpr int vocabulary = ByteTokenizer::vocabulary;
  static constexpr Token pad = ByteTokenizer::pad;              // targets that do not count
  static constexpr int max_tokens = 512;                        // of a question or an answer: rows of learned positions
  static constexpr int kv_heads = 0;                            // of the blocks; 0: as many as heads
  static constexpr int encoder_layers = 1, decoder_layers = 4;  // blocks; the encoder's are bidirectional
  static constexpr int pool_heads = 4;
  static constexpr int prefixes = 16;                           // vectors as which the decoder reads the latent vector
  using position = Rotary<>;                                    // inside the blocks' attention, besides learned positions
  using norm = RmsNorm<1>;                                      // its width is set by the model
  using head_norm = RmsNorm<1>;
  using head = Tied;                                            // or Untied
  using pool_order = ByPosition;                                // or ByScore
  using answer_tokens = TokensOnce;                             // or TokensTwice
  template <Index Latent>
  using core = LatentMlp<Latent>;                               // or LatentConv<Latent, widths...>
};

namespace detail {

template <class Config>
struct NextThoughtParts {
  static_assert(std::is_base_of_v<NextThoughtDefaults, Config>,
                "stlm::NextThought: the configuration lacks the defaults; derive it from stlm::NextThoughtDefaults.");
  static_assert(requires { Config::dim + Config::heads + Config::ffn_dim + Config::pools[0].width; },
                "stlm::NextThought: the configuration lacks one of `dim`, `heads`, `ffn_dim` and `pools`; add it.");
  static_assert(Config::heads > 0 && Config::dim % Config::heads == 0,
                "stlm::NextThought: heads do not divide dim; change one of them.");
  static_assert(PositionInside<typename Config::position> || std::is_same_v<typename Config::position, NoPosition>,
                "stlm::NextThought: learned positions are added already; use a position inside attention, such as "
                "stlm::Rotary, or stlm::NoPosition.");

  static constexpr Index dim = Config::dim, heads = Config::heads;
  static constexpr Index kv_heads = Config::kv_heads > 0 ? Config::kv_heads : heads;
  static constexpr std::size_t pools = std::size(Config::pools);
  static constexpr Index latent = Config::pools[pools - 1].width;

  using Embedding = TokenEmbedding<Config::vocabulary, dim, LearnedPosition<Config::max_tokens>>;
  template <class Mask>
  using Block = PreNormBlock<typename Config::norm::template WithDim<dim>,
                             Attention<dim, heads, kv_heads, dim / heads, typename Config::position, Mask>,
                             SwiGlu<dim, Config::ffn_dim>>;

  template <std::size_t I>
  using Pool = AttentionPool<I == 0 ? dim : Index{Config::pools[I - (I > 0)].width}, Config::pools[I].width, Config::pool_heads,
                             Config::pools[I].drop_per_mille, typename Config::pool_order>;
  template <std::size_t... I>
  static auto encoder(std::index_sequence<I...>)
      -> LatentEncoder<Embedding, Repeat<Config::encoder_layers, Block<Bidirectional>>, Pool<I>...>;
  using Encoder = decltype(encoder(std::make_index_sequence<pools>{}));

  using Output = Head<typename Config::head_norm::template WithDim<dim>, dim, Config::vocabulary, typename Config::head>;
  using Decoder = LatentDecoder<latent, Config::prefixes, Embedding, Repeat<Config::decoder_layers, Block<Causal>>, Output,
                                typename Config::answer_tokens>;
  using Model = NextThoughtModel<Encoder, typename Config::template core<latent>, Decoder, Config::pad>;
};

}  // namespace detail

template <class Config>
using NextThought = typename detail::NextThoughtParts<Config>::Model;

}  // namespace stlm
