// ByteLevelModel<Config>: bytes pooled into patches, a core over patches, bytes again, from a configuration that is a type.
//
//   struct Tiny : stlm::ByteLevelDefaults {                     // override what differs
//     static constexpr int dim = 256, layers = 6, heads = 8, ffn_dim = 704;
//     static constexpr int byte_dim = 96;
//     using boundary = stlm::SpaceLike;
//   };
//   using Model = stlm::ByteLevelModel<Tiny>;
//
// A configuration must name `dim`, `layers`, `heads` and `ffn_dim` of the core; the rest has defaults. The core has the same
// choices as a ByteModel: norm, position inside attention, mask, activation, linears, sharing. It must be causal.
#pragma once

#include <stlm/models/byte_model.hpp>
#include <stlm/models/patch_model.hpp>
#include <stlm/nn/byte_decoder.hpp>
#include <stlm/nn/byte_pool.hpp>
#include <stlm/nn/linear_byte_head.hpp>
#include <stlm/nn/parallel_byte_head.hpp>
#include <stlm/nn/stride_pool.hpp>
#include <stlm/tokenizer/patch_boundary.hpp>
#include <stlm/tokenizer/token_boundary.hpp>

namespace stlm {

/// Heads of a byte-level model. Autoregressive: one byte after another, and the ends of patches if the boundary looks ahead.
template <int Layers = 2, int Heads = 4, int HiddenPerDim = 3>
struct Autoregressive {};
/// All bytes at once, in independent slots.
template <int Layers = 7, int Heads = 8>
struct Parallel {};

/// All bytes at once, by one matrix.
struct LinearBytes {};

/// Pools of a byte-level model. ByteMean: `Layers` byte blocks of width byte_dim, the last of which leads to the core's width.
template <int Layers = 1, int Heads = 4, int HiddenPerDim = 4>
struct ByteMean {};
/// The reference's four blocks.
struct ReferenceByteMean {};
/// No blocks: the mean of embeddings of the core's width, with a learned position for each byte of MaxPatches patches.
template <int MaxPatches = 512>
struct EmbeddingMean {};

struct ByteLevelDefaults : ByteModelDefaults {
  static constexpr int byte_dim = 128, byte_window = 12;
  using boundary = SpaceLike;
  using bytes = CorrectBytes;  // or ReferenceQuirks
  using pool = ReferenceByteMean;
  using byte_head = Autoregressive<>;
  using reconstruction = NoReconstruction;
};

namespace detail {

template <class Blocks, class Last>
struct Append;
template <class... Blocks, class Last>
struct Append<ByteBlocks<Blocks...>, Last> {
  using type = ByteBlocks<Blocks..., Last>;
};

template <class Config, class Pool>
struct PoolOf;
template <class Config>
struct PoolOf<Config, ReferenceByteMean> {
  using type = BytePool<Config::dim, Config::byte_dim, Config::byte_window, typename Config::bytes>;
};
template <class Config, int Layers, int Heads, int HiddenPerDim>
struct PoolOf<Config, ByteMean<Layers, Heads, HiddenPerDim>> {
  static_assert(Layers > 0, "stlm::ByteMean: expected at least one layer; raise Layers.");
  static constexpr Index narrow = Config::byte_dim, hidden = HiddenPerDim * narrow;
  using Policy = typename Config::bytes;
  using Narrow = ByteBlock<narrow, narrow, hidden, Heads, Policy>;
  using Before = decltype(repeated<Narrow>(std::make_index_sequence<static_cast<std::size_t>(Layers > 0 ? Layers - 1 : 0)>{}));
  using Blocks = typename Append<Before, ByteBlock<narrow, Config::dim, hidden, Heads, Policy>>::type;
  using type = BytePool<Config::dim, narrow, Config::byte_window, Policy, Blocks>;
};

template <class Config, int MaxPatches>
struct PoolOf<Config, EmbeddingMean<MaxPatches>> {
  using type = StridePool<Config::dim, Config::byte_window, MaxPatches>;
};

template <class Config, class Head>
struct ByteHeadOf;
template <class Config>
struct ByteHeadOf<Config, LinearBytes> {
  using type = LinearByteHead<Config::dim, Config::byte_window, !Config::boundary::known_from_past>;
};
template <class Config, int Layers, int Heads, int HiddenPerDim>
struct ByteHeadOf<Config, Autoregressive<Layers, Heads, HiddenPerDim>> {
  using type = ByteDecoder<Config::dim, Config::byte_dim, Config::byte_window, !Config::boundary::known_from_past, Layers,
                           Heads, HiddenPerDim * Config::byte_dim>;
};
template <class Config, int Layers, int Heads>
struct ByteHeadOf<Config, Parallel<Layers, Heads>> {
  using type = ParallelByteHead<Config::dim, Config::byte_dim, Config::byte_window, typename Config::bytes,
                                static_cast<std::size_t>(Layers), Heads>;
};

template <class Config>
struct ByteLevelParts {
  static_assert(std::is_base_of_v<ByteLevelDefaults, Config>,
                "stlm::ByteLevelModel: the configuration lacks the defaults; derive it from stlm::ByteLevelDefaults.");
  static_assert(requires { Config::dim + Config::layers + Config::heads + Config::ffn_dim; },
                "stlm::ByteLevelModel: the configuration lacks one of `dim`, `layers`, `heads` and `ffn_dim`; add it.");
  static_assert(PositionInside<typename Config::position> || std::is_same_v<typename Config::position, NoPosition>,
                "stlm::ByteLevelModel: nothing adds positions to patches, so that these would be lost; use a position inside "
                "attention, such as stlm::Rotary.");
  static_assert(std::is_same_v<typename Config::head, ByteLevelDefaults::head> && !Config::head_bias &&
                    std::is_same_v<typename Config::head_norm, ByteLevelDefaults::head_norm>,
                "stlm::ByteLevelModel: the head is that of `byte_head`, so that head, head_norm and head_bias would be lost; "
                "leave them out.");
  static_assert(!requires { requires Config::boundary::stride != Config::byte_window; },
                "stlm::ByteLevelModel: patches of a FixedStride have as many bytes as its stride; set byte_window to it.");
  using Model = PatchModel<typename Config::boundary, typename PoolOf<Config, typename Config::pool>::type,
                           typename ByteModelParts<Config>::Core, typename ByteHeadOf<Config, typename Config::byte_head>::type,
                           typename Config::reconstruction>;
};

}  // namespace detail

template <class Config>
using ByteLevelModel = typename detail::ByteLevelParts<Config>::Model;

}  // namespace stlm
