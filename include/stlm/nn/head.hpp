// Head: the final norm and the projection to the vocabulary, tied to the embedding's table or with a matrix of its own.
//
//   logits = W Norm(x) (+ b),   x (N, C), W (V, C), b (V), logits (N, V)
//
// A tied head owns no matrix: its view is the embedding's table (Press & Wolf 2017), so the table is stored, counted and
// updated once, and the gradients of both uses add up in it.
//
// Cached: the normed rows, what the norm caches, and `rows_at_once` rows of logits. A loss over more rows computes the logits
// in chunks (nn/chunked_loss.hpp).
#pragma once

#include <algorithm>

#include <stlm/nn/norm.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/fused_gemm.hpp>
#include <stlm/ops/quantized.hpp>

namespace stlm {

struct Tied {
  static constexpr bool owns_matrix = false;
};
struct Untied {
  static constexpr bool owns_matrix = true;
};

/// `MostLogits`: the most logits in memory at once; 2^25 floats are 128 MiB. Four times as many of Bfloat16, as on a GPU, whose
/// products are faster with more rows.
template <class NormLayer, Index Dim, Index Vocabulary, class Tying = Tied, bool Bias = false,
          Index MostLogits = Index{1} << 25>
struct Head {
  using Norm = NormLayer;
  static constexpr Index dim = Dim, vocabulary = Vocabulary;

  /// All `rows` if MostLogits allows; otherwise the size of a chunk, for the fewest equal chunks that it allows.
  template <class T = float>
  static constexpr Index rows_at_once(Index rows) {
    constexpr Index most = std::max<Index>(1, MostLogits * (std::is_same_v<T, Bfloat16> ? 4 : 1) / Vocabulary);
    const Index chunks = std::max<Index>(1, (rows + most - 1) / most);
    return (rows + chunks - 1) / chunks;
  }

  template <class T>
  struct Params {
    typename Norm::template Params<T> norm;
    Matrix<T, Vocabulary, Dim> weight;
    [[no_unique_address]] OptionalView<Bias, Vector<T, Vocabulary>> bias;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, Dim> normed, dnormed;
    View<T, dynamic, Vocabulary> logits;  // of `rows_at_once` rows; later their gradient
    typename Norm::template Cache<T> norm;
  };

  /// `table` is the embedding's, already bound.
  template <class V, class P, class Table>
  static constexpr void visit(V& v, const Path& path, P& p, const Table& table) {
    Norm::visit(v, path / "norm", p.norm);
    if constexpr (Tying::owns_matrix) {
      ParameterSpec spec = ParameterSpec::matrix(Dim);
      spec.role = Role::kTable;
      v(path / "weight", p.weight, spec);
    } else {
      share(v, p.weight, table);
    }
    if constexpr (Bias) v(path / "bias", p.bias, ParameterSpec::bias(Dim));
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    plan(arena, cache, pass, rows_at_once<typename decltype(cache.logits)::value_type>(pass.rows()));
  }
  /// With memory for `logit_rows` rows of logits.
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass, Index logit_rows) {
    arena.keep(cache.normed, pass.rows());
    arena.temp(cache.dnormed, pass.rows());
    arena.keep(cache.logits, logit_rows);
    Norm::plan(arena, cache.norm, pass);
  }
  static constexpr double flops_per_token(Index) { return 2.0 * Dim * Vocabulary; }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x,
                      Rows<T, Vocabulary> logits, const Cache<T>& cache) {
    Norm::forward(ctx, p.norm, pass, x, cache.normed, cache.norm);
    project(ctx, p, cache.normed, logits);
  }
  /// As forward, but no backward may follow: one product that includes the norm, if the backend has it.
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Vocabulary> logits,
                     const Cache<T>& cache) {
    if constexpr (Fuses<Norm, B, S> && !Bias)
      ops::rms_norm_gemm(ctx, Norm::in_product(p.norm, cache.normed, cache.norm), x, MatrixView<const S>(p.weight),
                         MatrixView<T>(logits));
    else
      forward(ctx, p, pass, x, logits, cache);
  }
  /// The logits of rows that are normed already.
  template <class B, class S, class T = activation_t<B, S>>
  static void project(Context<B>& ctx, const Params<S>& p, Rows<const T, Dim> normed, Rows<T, Vocabulary> logits) {
    ops::gemm(ctx, normed, p.weight, logits, {.transpose_b = true});
    if constexpr (Bias) ops::add_bias(ctx, p.bias, logits);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x,
                       Rows<const T, Vocabulary> dlogits, Rows<T, Dim> dx, const Cache<T>& cache,
                       const Params<compute_t<T>>& grads) {
    project_backward(ctx, p, cache.normed, dlogits, cache.dnormed, grads);
    Norm::backward(ctx, p.norm, pass, x, cache.dnormed, dx, cache.norm, grads.norm);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void project_backward(Context<B>& ctx, const Params<S>& p, Rows<const T, Dim> normed,
                               Rows<const T, Vocabulary> dlogits, Rows<T, Dim> dnormed, const Params<compute_t<T>>& grads) {
    ops::gemm<S>(ctx, dlogits, normed, grads.weight, {.transpose_a = true, .accumulate = true});
    if constexpr (Bias) ops::sum_rows(ctx, dlogits, grads.bias);
    ops::gemm(ctx, dlogits, p.weight, dnormed);
  }
};

}  // namespace stlm
