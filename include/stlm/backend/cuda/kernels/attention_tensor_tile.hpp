// Tiles of 64 vectors of a head, of Bfloat16, for the tensor cores (fragments.hpp): in shared memory as they lie, one
// vector after another, from where both orders of a product take their fragments.
//
// A block has 4 warps with 16 rows each. The right factor of a product is read by all of them, two fragments at once:
//   over the columns    S = Q K^T:  its columns are vectors, each of them in order of the sum
//   over the vectors    O = P V:    its columns are the vectors' columns, so matrices are transposed as they are loaded
// Left factors and results pass through shared memory too, so that memory is read and written in whole packets that lie
// side by side.
//
// Banks: the 8 rows of a matrix are 16 bytes each, and begin an odd multiple of 16 bytes apart: no conflict. Neither
// has a warp that writes pairs, of 8 rows and 4 members.
#pragma once

#include <stlm/backend/cuda/fragments.hpp>
#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

template <int D>
struct TensorTile : FragmentLanes {
  static_assert(D % 16 == 0);
  static constexpr int size = 64, threads = 128, steps = D / 16;
  static constexpr int stride = D / 2 + 4;  ///< in pairs
  using Vectors = SharedArray<BfloatPair, size * stride>;
  template <class Exec>
  using Left = Registers<Exec, FragmentA, steps>;  ///< 16 vectors of a warp
  template <class Exec>
  using Sums = Registers<Exec, FragmentC, D / 8>;

  /// Sets off the copy of vectors first .. to shared memory, zeros from `end` on.
  template <class Exec>
  static STLM_KERNEL void copy(Exec& e, int t, const HeadRows<const Bfloat16>& x, int b, int first, int end, int h,
                               Vectors& to) {
    const Index base = x.at(b, first, h);
    for_pieces(t, [&](int r, int c) {
      e.copy(to, r * stride + 4 * c, x.numbers, base + (r * x.token_stride + 8 * c), first + r < end);
    });
  }
  /// The warps' 16 vectors, rounded, by way of `room`, which nobody else uses: to vectors first .., those before `end`.
  template <class Exec>
  static STLM_KERNEL void store(Exec& e, Sums<Exec>& sum, Vectors& room, const HeadRows<Bfloat16>& to, int b, int first,
                                int end, int h) {
    e.phase([&](int t) {
      unroll<D / 4>([&](int n) {
        const float* const two = sum[n / 2][t].value + n % 2 * 2;
        room[row(t, n % 2) * stride + n / 2 * 4 + member(t)] = e.round(two[0], two[1]);
      });
    });
    const Index base = to.at(b, first, h);
    e.each([&](int t) {
      for_pieces(t, [&](int r, int c) {
        if (first + r < end)
          e.store_packet(to.numbers, base + (r * to.token_stride + 8 * c),
                         __builtin_bit_cast(Packet<Bfloat16>, room.packet(r * stride + 4 * c)));
      });
    });
  }

  /// The warps' vectors as left factors.
  template <class Exec>
  static STLM_KERNEL void read_left(Exec& e, Left<Exec>& to, Vectors& from) {
    unroll<steps>([&](int s) { load_left(e, to[s], from, s); });
  }
  /// Their columns 16 s ..
  template <class Exec>
  static STLM_KERNEL void load_left(Exec& e, PerThread<Exec, FragmentA>& to, Vectors& from, int s) {
    e.template load_matrices<false>(to, from, [&](int t) { return begin(t, t / warp, s); });
  }
  /// The right factor that is block (v, c) of the tile, 16 vectors by 16 columns: f(half, fragment) for its first and
  /// its second 8 columns, half = 0 and 1. Those are vectors, in a sum over their columns.
  template <class Exec, class F>
  static STLM_KERNEL void over_columns(Exec& e, Vectors& from, int v, int c, const F& f) {
    right<false>(e, from, v, c, f);
  }
  template <class Exec, class F>
  static STLM_KERNEL void over_vectors(Exec& e, Vectors& from, int v, int c, const F& f) {
    right<true>(e, from, v, c, f);
  }
  /// Two fragments of a product side by side, 16 x 16, as the left factor of the next.
  template <class Exec>
  static STLM_KERNEL FragmentA as_left(Exec& e, const FragmentC& a, const FragmentC& b) {
    return {{e.round(a.value[0], a.value[1]), e.round(a.value[2], a.value[3]), e.round(b.value[0], b.value[1]),
             e.round(b.value[2], b.value[3])}};
  }

 private:
  /// f(vector, packet of it) for a thread's share of the tile: neighbours have neighbouring packets.
  template <class F>
  static STLM_KERNEL void for_pieces(int t, const F& f) {
    constexpr int of_vector = D / 8;
    STLM_KERNEL_LOOP for (int i = t; i < size * of_vector; i += threads) f(i / of_vector, i % of_vector);
  }
  /// Where the row begins that a lane names when block (v, c) is loaded: its matrices lie as the pairs of FragmentA.
  static STLM_KERNEL int begin(int t, int v, int c) { return (16 * v + t % 16) * stride + 8 * c + t % warp / 16 * 4; }
  template <bool Transposed, class Exec, class F>
  static STLM_KERNEL void right(Exec& e, Vectors& from, int v, int c, const F& f) {
    PerThread<Exec, FragmentA> both;
    e.template load_matrices<Transposed>(both, from, [&](int t) { return begin(t, v, c); });
    unroll<2>([&](int i) {
      PerThread<Exec, FragmentB> one;
      e.each([&](int t) {
        const BfloatPair* const pair = both[t].pair;
        one[t] = Transposed ? FragmentB{{pair[2 * i], pair[2 * i + 1]}} : FragmentB{{pair[i], pair[i + 2]}};
      });
      f(i, one);
    });
  }
};

}  // namespace stlm::gpu
