// StridePool: a vector for each patch of Window bytes, the mean of their embeddings; no blocks.
//
//   x_i = Table[byte_i] + P[place of i in the sequence],   y = mean of x_i over the patch
//
// slots (B, S * Window) -> y (B * S, Dim). P has MaxPatches * Window rows; a patch that is not full is averaged over the
// bytes it has. Cached: the packed bytes and their places. The fixed-stride model of the STLM system uses this pool with
// LinearByteHead, FixedStride<4> and Window 4.
#pragma once

#include <stlm/nn/position.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/patches.hpp>
#include <stlm/ops/segments.hpp>

namespace stlm {

template <Index Dim, Index Window, Index MaxPatches>
struct StridePool {
  static constexpr Index dim = Dim, window = Window, vocabulary = 258, max_tokens = MaxPatches;
  static constexpr Token pad = 256;
  static constexpr bool packs = true;
  static constexpr Index reads_ahead = 0;

  template <class T>
  struct Params {
    Matrix<T, vocabulary, Dim> table;
    View<compute_t<T>, MaxPatches * Window, Dim> position;
  };
  template <class T>
  struct Cache {
    View<Index, dynamic> offsets;
    View<Token, dynamic> ids, places;
    View<T, dynamic, Dim> embedded, positions, d;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "weight", p.table, ParameterSpec::table(0.02));
    v(path / "position" / "weight", p.position, ParameterSpec::table(0.02));
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.offsets, pass.rows() + 1);
    arena.keep(cache.ids, pass.bytes_read);
    arena.keep(cache.places, pass.bytes_read);
    arena.temp(cache.embedded, pass.bytes_read);
    arena.temp(cache.positions, pass.bytes_read);
    arena.temp(cache.d, pass.bytes_read);
  }
  static constexpr Index rows_read(const ops::PatchSlots& slots) { return slots.total_bytes(); }
  static constexpr double flops_per_byte() { return 0; }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, View<const Token, dynamic, dynamic> slots,
                      Rows<T, Dim> y, const Cache<T>& cache) {
    const ops::PatchSlots patches{{slots.data(), slots.size() / Window, Window}, pad};
    ops::pack_bytes(ctx, patches, cache.offsets, cache.ids);
    ops::pack_places(ctx, patches, pass.tokens, pass.position, cache.places);
    ops::embedding_forward(ctx, p.table, row(cache.ids), cache.embedded);
    ops::embedding_forward(ctx, p.position, row(cache.places), cache.positions);
    ops::add(ctx, cache.embedded, cache.positions, cache.embedded);
    ops::dropout(ctx, cache.embedded, pass.dropout, pass.key);
    ops::segment_sum(ctx, cache.embedded, y, segments(pass, cache));
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>&, const Pass& pass, View<const Token, dynamic, dynamic>,
                       Rows<const T, Dim> dy, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    ops::segment_spread(ctx, dy, cache.d, segments(pass, cache), false);
    ops::dropout(ctx, cache.d, pass.dropout, pass.key);
    ops::embedding_backward(ctx, row(cache.ids), cache.d, grads.table);
    ops::embedding_backward(ctx, row(cache.places), cache.d, grads.position);
  }

 private:
  static View<const Token, dynamic, dynamic> row(View<Token, dynamic> ids) { return {ids.data(), 1, ids.size()}; }
  template <class T>
  static ops::Segments segments(const Pass& pass, const Cache<T>& cache) {
    return {pass.rows(), Window, {cache.offsets, pass.bytes_read}, true};
  }
};

}  // namespace stlm
