// BytePool: one vector for each patch of up to Window bytes.
//
//   e_i = Table[byte_i] + P[i],   v = Blocks(e),   y = mean of v_i over the patch
//
// slots (B, S * Window) -> y (B * S, Dim). Blocks are ByteBlocks from ByteDim to Dim in which each byte sees only its own
// patch; the last block takes the mean (byte_block_mean.hpp). With CorrectBytes only bytes are rows: patches are packed, so a
// patch of four bytes costs four rows instead of Window, and an empty patch gives zeros. With ReferenceQuirks every slot is a
// row. Cached: the rows e, and what the blocks cache. The pool reads no further than the end of its patch: `reads_ahead` of the
// emission contract is 0.
#pragma once

#include <stlm/nn/byte_block_mean.hpp>
#include <stlm/ops/embedding.hpp>
#include <stlm/ops/patches.hpp>

namespace stlm {

/// The reference's blocks: ByteDim -> 2 ByteDim three times, then Dim; 8 heads.
template <Index Dim, Index ByteDim, class Policy = CorrectBytes>
using ReferenceByteBlocks = ByteBlocks<ByteBlock<ByteDim, 2 * ByteDim, 4 * ByteDim, 8, Policy>,
                                       ByteBlock<2 * ByteDim, 2 * ByteDim, 8 * ByteDim, 8, Policy>,
                                       ByteBlock<2 * ByteDim, 2 * ByteDim, 8 * ByteDim, 8, Policy>,
                                       ByteBlock<2 * ByteDim, Dim, 8 * ByteDim, 8, Policy>>;

template <Index Dim, Index ByteDim = 128, Index Window = 12, class Policy = CorrectBytes,
          class ByteByByte = ReferenceByteBlocks<Dim, ByteDim, Policy>>
struct BytePool {
  using Blocks = MeanOf<ByteByByte>;
  static constexpr Index dim = Dim, byte_dim = ByteDim, window = Window, vocabulary = 258;
  static constexpr Token pad = 256;
  static constexpr bool packs = Policy::masks_pads;  // only bytes are rows
  static constexpr Index reads_ahead = 0;            // a patch's vector depends on no later patch
  static_assert(Blocks::in == ByteDim && Blocks::out == Dim,
                "stlm::BytePool: wrong inner dimension: the blocks must lead from ByteDim to Dim; change their widths.");

  template <class T>
  struct Params {
    Matrix<T, vocabulary, ByteDim> table;
    View<compute_t<T>, Window, ByteDim> position;
    typename Blocks::template Params<T> blocks;
  };
  template <class T>
  struct Cache {
    View<Index, dynamic> offsets;
    View<Token, dynamic> ids;
    View<T, dynamic, ByteDim> embedded, dembedded;
    typename Blocks::template Cache<T> blocks;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "weight", p.table, ParameterSpec::table(0.02));
    v(path / "position" / "weight", p.position, ParameterSpec::table(0.02));
    Blocks::visit(v, path / "blocks", p.blocks);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    const Pass bytes = local(pass, {});
    arena.keep(cache.offsets, pass.rows() + 1);
    arena.keep(cache.ids, bytes.rows());
    arena.keep(cache.embedded, bytes.rows());
    arena.temp(cache.dembedded, bytes.rows());
    Blocks::plan(arena, cache.blocks, bytes);
  }
  /// The number of rows in the blocks for these patches.
  static constexpr Index rows_read(const ops::PatchSlots& slots) {
    return packs ? slots.total_bytes() : slots.ids.size();
  }
  /// Of one row, in a patch half full if patches are packed.
  static constexpr double flops_per_byte() { return Blocks::flops_per_token(packs ? Window / 2 : Window); }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, View<const Token, dynamic, dynamic> slots,
                      Rows<T, Dim> y, const Cache<T>& cache) {
    if constexpr (packs) ops::pack_bytes(ctx, {patches(slots), pad}, cache.offsets, cache.ids);
    const Pass bytes = local(pass, cache.offsets);
    ops::embedding_forward(ctx, p.table, ids(slots, cache), cache.embedded);
    ops::add_positions(ctx, p.position, Window, {}, cache.embedded, bytes.offsets);
    ops::dropout(ctx, cache.embedded, pass.dropout, pass.at(0).key);
    Blocks::forward(ctx, p.blocks, bytes.at(1), cache.embedded, y, cache.blocks);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, View<const Token, dynamic, dynamic> slots,
                       Rows<const T, Dim> dy, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    const Pass bytes = local(pass, cache.offsets);
    Blocks::backward(ctx, p.blocks, bytes.at(1), cache.embedded, dy, cache.dembedded, cache.blocks, grads.blocks);
    ops::dropout(ctx, cache.dembedded, pass.dropout, pass.at(0).key);
    ops::add_positions_backward(ctx, cache.dembedded, Window, grads.position, bytes.offsets);
    ops::embedding_backward(ctx, ids(slots, cache), cache.dembedded, grads.table);
  }

 private:
  /// The slots of all sequences as patches (B * S, Window).
  static View<const Token, dynamic, dynamic> patches(View<const Token, dynamic, dynamic> slots) {
    return {slots.data(), slots.size() / Window, Window};
  }
  /// The pass over the bytes of the patches of `pass`.
  static constexpr Pass local(const Pass& pass, View<const Index, dynamic> offsets) {
    if constexpr (packs) return pass.pack(pass.rows(), Window, pass.bytes_read, offsets);
    return pass.pack(pass.rows(), Window, -1, {});
  }
  template <class T>
  static View<const Token, dynamic, dynamic> ids(View<const Token, dynamic, dynamic> slots, const Cache<T>& cache) {
    if constexpr (packs)
      return {cache.ids.data(), 1, cache.ids.size()};
    else
      return slots;
  }
};

}  // namespace stlm
