// Positions: what tells a model the order of its tokens.
//
// Added to the embedding: LearnedPosition<MaxTokens>, SinusoidalPosition (Vaswani et al. 2017).
// Inside attention: Rotary<Pairs> (Su et al. 2021), Alibi (Press et al. 2021).  NoPosition fits both places.
#pragma once

#include <cmath>

#include <stlm/core/module.hpp>
#include <stlm/ops/embedding.hpp>
#include <stlm/ops/fused_gemm.hpp>
#include <stlm/ops/quantized.hpp>
#include <stlm/ops/rope.hpp>

namespace stlm {

/// A position that attention applies to queries, keys or scores, instead of one that is added to the embedding.
template <class Position>
concept PositionInside = requires { Position::inside_attention; };

struct NoPosition {
  template <class T, Index Dim>
  using Params = Empty;

  template <Index Dim, class V, class P>
  static constexpr void visit(V&, const Path&, P&) {}
  template <class B, class P, class Y>
  static void add(Context<B>&, const P&, const Pass&, const Y&) {}
  template <class B, class P, class Dy>
  static void add_backward(Context<B>&, const Pass&, const Dy&, const P&) {}

  template <class B, class T>
  static void rotate(Context<B>&, HeadsView<T>, const Pass&, bool) {}
};

/// A trained row for each of MaxTokens positions.
template <Index MaxTokens>
struct LearnedPosition {
  static constexpr Index max_tokens = MaxTokens;

  template <class T, Index Dim>
  struct Params {
    View<compute_t<T>, MaxTokens, Dim> table;
  };

  template <Index Dim, class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "weight", p.table, ParameterSpec::table(0.02));
  }
  template <class B, class P, class Y>
  static void add(Context<B>& ctx, const P& p, const Pass& pass, const Y& y) {
    ops::add_positions(ctx, p.table, pass.tokens, pass.all_places(), y, pass.offsets);
  }
  template <class B, class P, class Dy>
  static void add_backward(Context<B>& ctx, const Pass& pass, const Dy& dy, const P& grads) {
    ops::add_positions_backward(ctx, dy, pass.tokens, grads.table, pass.offsets);
  }
};

/// sin(t w_i) in column 2i and cos(t w_i) in column 2i + 1, w_i = 10000^(-2i / Dim). No parameters.
struct SinusoidalPosition {
  template <class T, Index Dim>
  using Params = Empty;

  template <Index Dim, class V, class P>
  static constexpr void visit(V&, const Path&, P&) {}
  template <class B, class P, class Y>
  static void add(Context<B>& ctx, const P&, const Pass& pass, const Y& y) {
    expect(!pass.offsets, "stlm::SinusoidalPosition: packed sequences are not supported; use stlm::LearnedPosition.");
    ops::add_sinusoids(ctx, pass.tokens, pass.all_places(), y);
  }
  template <class B, class P, class Dy>
  static void add_backward(Context<B>&, const Pass&, const Dy&, const P&) {}
};

/// Rotation of queries and keys inside attention.
template <RopePairs Pairs = RopePairs::kAdjacent, int Base = 10000>
struct Rotary {
  static constexpr bool inside_attention = true, needs_even_heads = true;

  template <class B, class T>
  static void rotate(Context<B>& ctx, HeadsView<T> x, const Pass& pass, bool inverse) {
    ops::rope(ctx, x, options(pass, inverse));
  }
  /// Rotates the queries in place, and writes the rotated keys and the values behind them into caches of `sequences`
  /// sequences (ops/rope.hpp).
  template <class B, class T>
    requires(ops::appends_turned<B>)
  static void rotate_append(Context<B>& ctx, HeadsView<T> x, Index queries, const Pass& pass, HeadsView<T> keys,
                            HeadsView<T> values, Index sequences) {
    ops::rope_append(ctx, x, queries, options(pass, false), keys, values, sequences);
  }

  /// `rotate_append` of the rows y = rms_norm(x) W^T, computed with them (ops/fused_gemm.hpp).
  template <class B, class W, class T>
    requires(ops::appends_turned<B> && ops::fuses_few_rows<B>)
  static void product_rotate_append(Context<B>& ctx, const ops::RowNorm<T>& norm, MatrixView<const T> x,
                                    MatrixView<const W> weight, MatrixView<T> y, Index queries, const Pass& pass,
                                    HeadsView<T> keys, HeadsView<T> values, Index sequences) {
    ops::rms_norm_gemm_rope_append(ctx, norm, x, weight, y, queries, options(pass, false), keys, values, sequences);
  }

 private:
  static ops::RopeOptions options(const Pass& pass, bool inverse) {
    return {pass.batch, pass.tokens,  pass.position, Pairs, static_cast<double>(Base), inverse,
            pass.offsets, pass.places};
  }
};

/// Attention with linear biases: m_h d is subtracted from the score of a key at distance d, with a slope m_h for each head
/// (ops/attention.hpp). Queries and keys are not changed.
struct Alibi : NoPosition {
  static constexpr bool inside_attention = true, alibi = true;
};

}  // namespace stlm
