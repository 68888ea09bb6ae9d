// ByteBlockMean<Block>: the mean over each patch of a ByteBlock's results for its bytes.
//
//   y = mean of (W2 h_i [+ u_i]) = W2 (mean of h_i) [+ mean of u_i]
//
// x (N, In) -> y (patches, Out), with h the output of the block's activation. W2 is linear, so the mean is taken first, and the
// widest product of a pool has a row for each patch instead of each byte. An empty patch gives zeros. Cached: what the block
// caches, and the mean of h.
#pragma once

#include <stlm/nn/byte_blocks.hpp>
#include <stlm/ops/segments.hpp>

namespace stlm {

template <class Block>
struct ByteBlockMean {
  static constexpr Index in = Block::in, out = Block::out;
  using Down = typename Block::Down;

  template <class T>
  using Params = typename Block::template Params<T>;
  template <class T>
  struct Cache {
    typename Block::template Cache<T> block;
    View<T, dynamic, Block::hidden> mean, dmean;
    View<T, dynamic, out> middle;  // the mean of u, if the block adds u
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Block::visit(v, path, p);
  }
  /// `pass.batch` is the number of patches.
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.mean, pass.batch);
    arena.temp(cache.dmean, pass.batch);
    if constexpr (Block::residual) arena.temp(cache.middle, pass.batch);
    Block::plan(arena, cache.block, pass);
  }
  /// Of one byte, in a patch of `tokens` bytes.
  static constexpr double flops_per_token(Index tokens) {
    const double down = Down::flops_per_token(tokens);
    return Block::flops_per_token(tokens) - down + down / static_cast<double>(tokens);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, in> x, Rows<T, out> y,
                      const Cache<T>& cache) {
    Block::forward_hidden(ctx, p, pass, x, cache.block);
    ops::segment_sum(ctx, cache.block.hidden, cache.mean, patches(pass));
    Down::forward(ctx, p.down, pass, cache.mean, y, Empty{});
    if constexpr (Block::residual) {
      ops::segment_sum(ctx, cache.block.middle, cache.middle, patches(pass));
      ops::add(ctx, y, cache.middle, y);
    }
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, in> x, Rows<const T, out> dy,
                       Rows<T, in> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    Down::backward(ctx, p.down, pass, cache.mean, dy, cache.dmean, Empty{}, grads.down);
    ops::segment_spread(ctx, cache.dmean, cache.block.dhidden, patches(pass), false);
    if constexpr (Block::residual) ops::segment_spread(ctx, dy, dx, patches(pass), false);
    Block::backward_hidden(ctx, p, pass, x, dx, cache.block, grads);
  }

 private:
  static ops::Segments patches(const Pass& pass) { return {pass.batch, pass.tokens, pass.offsets, true}; }
};

namespace detail {
template <class Blocks, std::size_t... I>
ByteBlocks<std::conditional_t<I + 1 == Blocks::size, ByteBlockMean<typename Blocks::template Block<I>>,
                              typename Blocks::template Block<I>>...>
    mean_at_last(std::index_sequence<I...>);
}  // namespace detail

/// The same blocks, with the mean over each patch taken in the last.
template <class Blocks>
using MeanOf = decltype(detail::mean_at_last<Blocks>(std::make_index_sequence<Blocks::size>{}));

}  // namespace stlm
