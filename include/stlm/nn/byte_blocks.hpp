// ByteBlocks<Block...>: byte blocks one after another; the input of each has the width of the previous block's output.
#pragma once

#include <tuple>
#include <utility>

#include <stlm/nn/byte_block.hpp>

namespace stlm {

/// x (N, in) -> y (N, out). Cached: the output of every block but the last, and what the blocks cache.
template <class... Blocks>
struct ByteBlocks {
  static constexpr std::size_t size = sizeof...(Blocks);
  static_assert(size > 0, "stlm::ByteBlocks: expected at least one block; add a stlm::ByteBlock.");
  template <std::size_t I>
  using Block = std::tuple_element_t<I, std::tuple<Blocks...>>;
  static constexpr Index in = Block<0>::in, out = Block<size - 1>::out;

  template <class T>
  struct Params {
    std::tuple<typename Blocks::template Params<T>...> blocks;
  };
  template <class T>
  struct Cache {
    std::tuple<View<T, dynamic, Blocks::out>...> outputs, doutputs;  // the last of each stays empty: y and dy
    std::tuple<typename Blocks::template Cache<T>...> blocks;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    for_indices<size>([&]<std::size_t I>() { Block<I>::visit(v, path / static_cast<Index>(I), std::get<I>(p.blocks)); });
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    for_indices<size>([&]<std::size_t I>() {
      if constexpr (I + 1 < size) {
        arena.keep(std::get<I>(cache.outputs), pass.rows());
        arena.temp(std::get<I>(cache.doutputs), pass.rows());
      }
    });
    for_indices<size>([&]<std::size_t I>() {
      arena.overlay([&] { Block<I>::plan(arena, std::get<I>(cache.blocks), pass); });
    });
  }
  static constexpr double flops_per_token(Index tokens) { return (Blocks::flops_per_token(tokens) + ...); }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, in> x, Rows<T, out> y,
                      const Cache<T>& cache) {
    for_indices<size>([&]<std::size_t I>() {
      Block<I>::forward(ctx, std::get<I>(p.blocks), pass.at(I), edge<I>(x, cache.outputs), end<I>(y, cache.outputs),
                        std::get<I>(cache.blocks));
    });
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, in> x, Rows<const T, out> dy,
                       Rows<T, in> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    for_indices<size>([&]<std::size_t Reverse>() {
      constexpr std::size_t I = size - 1 - Reverse;
      Block<I>::backward(ctx, std::get<I>(p.blocks), pass.at(I), edge<I>(x, cache.outputs), end<I>(dy, cache.doutputs),
                         edge<I>(dx, cache.doutputs), std::get<I>(cache.blocks), std::get<I>(grads.blocks));
    });
  }

 private:
  /// `edge` is what block I reads, `end` what it writes: an end of the chain, or a view between two blocks.
  template <std::size_t I, class X, class Between>
  static auto edge(X x, const Between& between) {
    if constexpr (I == 0)
      return x;
    else
      return std::get<I - 1>(between);
  }
  template <std::size_t I, class Y, class Between>
  static auto end(Y y, const Between& between) {
    if constexpr (I + 1 == size)
      return y;
    else
      return std::get<I>(between);
  }
};

}  // namespace stlm
