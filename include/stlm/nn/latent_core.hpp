// LatentMlp, LatentConv: cores of a next-thought model, from the latent vector of the question to that of the answer.
//
//   LatentMlp    y = W2 relu(W1 x + b1) + b2
//   LatentConv   for each width K in turn: x as Latent / K rows of K numbers, x <- x W_K^T + b_K
//
// x (N, Latent) -> y (N, Latent). LatentConv<4800, 30, 300, 3> has 91,000 weights; LatentMlp<4800> has 46 million. LatentConv
// uses one small matrix at every place, as a convolution does. It caches the input of each matrix except the first.
#pragma once

#include <array>
#include <tuple>

#include <stlm/nn/feed_forward.hpp>

namespace stlm {

template <Index Latent, Index Hidden = Latent>
using LatentMlp = FeedForward<Latent, Hidden, Relu, WithBias>;

template <Index Latent, Index... Widths>
struct LatentConv {
  static constexpr std::size_t size = sizeof...(Widths);
  static_assert(size > 0, "stlm::LatentConv: expected at least one width; add those of its matrices.");
  static_assert(((Widths > 0 && Latent % Widths == 0) && ...),
                "stlm::LatentConv: a width does not divide Latent; give widths that cut the latent vector into equal rows.");
  static constexpr std::array<Index, size> widths = {Widths...};
  template <std::size_t I>
  using Layer = Linear<widths[I], widths[I], true>;

  template <class T>
  struct Params {
    std::tuple<typename Linear<Widths, Widths, true>::template Params<T>...> linears;
  };
  template <class T>
  struct Cache {
    std::array<View<T, dynamic, Latent>, size> inputs, douts;  // inputs[0] and the last of douts stay empty: x and dy
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    for_indices<size>([&]<std::size_t I>() { Layer<I>::visit(v, path / static_cast<Index>(I), std::get<I>(p.linears)); });
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    for (std::size_t i = 1; i < size; ++i) {
      arena.keep(cache.inputs[i], pass.rows());
      arena.temp(cache.douts[i - 1], pass.rows());
    }
  }
  static constexpr double flops_per_token(Index) { return 2.0 * Latent * (Widths + ...); }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Latent> x, Rows<T, Latent> y,
                      const Cache<T>& cache) {
    for_indices<size>([&]<std::size_t I>() {
      Layer<I>::forward(ctx, std::get<I>(p.linears), pass, folded<I>(I == 0 ? x : as_const(cache.inputs[I])),
                        folded<I>(I + 1 == size ? y : cache.inputs[(I + 1) % size]), Empty{});
    });
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Latent> x, Rows<const T, Latent> dy,
                       Rows<T, Latent> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    for_indices<size>([&]<std::size_t Reversed>() {
      constexpr std::size_t I = size - 1 - Reversed;
      Layer<I>::backward(ctx, std::get<I>(p.linears), pass, folded<I>(I == 0 ? x : as_const(cache.inputs[I])),
                         folded<I>(I + 1 == size ? dy : as_const(cache.douts[I])),
                         folded<I>(I == 0 ? dx : cache.douts[(I + size - 1) % size]), Empty{}, std::get<I>(grads.linears));
    });
  }

 private:
  template <class T>
  static View<const T, dynamic, Latent> as_const(View<T, dynamic, Latent> x) {
    return x;
  }
  /// x as rows of the width of linear layer I.
  template <std::size_t I, class T>
  static View<T, dynamic, widths[I]> folded(View<T, dynamic, Latent> x) {
    return View<T, dynamic, widths[I]>(x.data(), x.size() / widths[I]);
  }
};

}  // namespace stlm
