// Sums of a function over many items, in double and in a fixed order: each block adds up a piece of the items, then one
// block adds up the pieces. The pieces depend only on the number of items.
//
//   struct Squares {                                          // item i: a number to add to each of `sums` sums
//     static constexpr const char* name = "sum_squares";
//     static constexpr int sums = 1;
//     template <class Exec>
//     STLM_KERNEL Numbers<double, 1> operator()(Exec& e, Index i) const;
//     template <class Exec>
//     STLM_KERNEL double rest(Exec& e) const;                 // optional: one more term of the first sum
//   };
//   sum_pieces(ctx, scratch, Squares{...}, items, to);
#pragma once

#include <algorithm>

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/scratch.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// to[block] = the sums over items [block * piece, (block + 1) * piece).
template <class F>
struct PieceSum {
  static constexpr const char* name = F::name;
  static constexpr int threads = 256, sums = F::sums;
  struct Shared {
    SharedArray<double, threads / warp> partial;
  };

  F f;
  Span<Numbers<double, sums>> to;
  Index items, piece;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const Index first = e.block() * piece, last = first + piece < items ? first + piece : items;
    Registers<Exec, double, sums> sum;
    e.each([&](int t) {
      unroll<sums>([&](int s) { sum[s][t] = 0; });
      for (Index i = first + t; i < last; i += threads) {
        const Numbers<double, sums> more = f(e, i);
        unroll<sums>([&](int s) { sum[s][t] += more[s]; });
      }
      if constexpr (requires { f.rest(e); })
        if (t == 0 && last == items) sum[0][t] += f.rest(e);
    });
    unroll<sums>([&](int s) { combine_block(e, sum[s], shared.partial, Sum{}); });
    e.each([&](int t) {
      if (t != 0) return;
      Numbers<double, sums> total;
      unroll<sums>([&](int s) { total[s] = sum[s][t]; });
      e.store(to, e.block(), total);
    });
  }
};

/// The pieces' sums as items.
template <class F>
struct OfPieces {
  static constexpr const char* name = F::name;
  static constexpr int sums = F::sums;
  Span<const Numbers<double, sums>> from;
  template <class Exec>
  STLM_KERNEL Numbers<double, sums> operator()(Exec& e, Index i) const {
    return e.load(from, i);
  }
};

/// *to = the sums of f over all items: one kernel for few items, two for many.
template <class Backend, class F>
void sum_pieces(Context<Backend>& ctx, Scratch<Backend>& scratch, const F& f, Index items,
                Numbers<double, F::sums>* to) {
  constexpr Index most = 512, few = 2048;  // most pieces, fewest items of a piece
  const Index piece = std::max(few, ceil_div(items, most)), blocks = std::max<Index>(1, ceil_div(items, piece));
  if (blocks == 1) return ctx.launch(PieceSum<F>{f, {to, 1}, items, piece}, 1);
  const Span<Numbers<double, F::sums>> partial{scratch.template take<Numbers<double, F::sums>>(blocks), blocks};
  ctx.launch(PieceSum<F>{f, partial, items, piece}, blocks);
  ctx.launch(PieceSum<OfPieces<F>>{{partial}, {to, 1}, blocks, blocks}, 1);
}

}  // namespace stlm::gpu
