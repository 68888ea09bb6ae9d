// Tiles of 64 Bfloat16 vectors of a head for the tensor cores (fragments.hpp). A tile lies in shared memory one vector
// after another; products over the columns and products over the vectors both load their fragments from it.
//
// A block has 4 warps with 16 rows each. Left factors and results pass through shared memory too, so that global memory is
// read and written in whole packets that lie side by side. Products: attention_tensor_product.hpp.
//
// Bank conflicts: a load of a matrix reads 8 rows of 16 bytes. Vectors of 128 bytes lie one after another, with packet c of
// vector r at place c ^ r % 8, as wgmma requires; other vectors lie an odd multiple of 16 bytes apart. Neither layout has
// conflicts, nor has a warp that writes pairs to 8 rows, 4 members each.
#pragma once

#include <stlm/backend/cuda/fragments.hpp>
#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

template <int D>
struct TensorTile : FragmentLanes {
  static_assert(D % 16 == 0);
  static constexpr int size = 64, threads = 128, steps = D / 16;
  static constexpr bool swizzled = D == 64;
  static constexpr int stride = swizzled ? D / 2 : D / 2 + 4;  ///< in pairs
  using Vectors = SharedArray<BfloatPair, size * stride, swizzled ? 1024 : 16>;
  template <class Exec>
  using Left = Registers<Exec, FragmentA, steps>;  ///< 16 vectors of a warp
  template <class Exec>
  using Sums = Registers<Exec, FragmentC, D / 8>;
  /// Where packet c of vector r lies.
  static STLM_HOST_DEVICE constexpr int at(int r, int c) { return r * stride + 4 * (swizzled ? c ^ r % 8 : c); }

  /// Starts the asynchronous copy of vectors first .. to shared memory; those from `end` on become zero.
  template <class Exec>
  static STLM_KERNEL void copy(Exec& e, int t, const HeadRows<const Bfloat16>& x, int b, int first, int end, int h,
                               Vectors& to) {
    const Index base = x.at(b, first, h);
    for_pieces(t, [&](int r, int c) {
      e.copy(to, at(r, c), x.numbers, base + (r * x.token_stride + 8 * c), first + r < end);
    });
  }
  /// Rounds the 16 vectors of each warp and stores them to vectors first .., those before `end`. They pass through `room`,
  /// which nothing else may use meanwhile.
  template <class Exec>
  static STLM_KERNEL void store(Exec& e, Sums<Exec>& sum, Vectors& room, const HeadRows<Bfloat16>& to, int b, int first,
                                int end, int h) {
    e.phase([&](int t) {
      unroll<D / 4>([&](int n) {
        const float* const two = sum[n / 2][t].value + n % 2 * 2;
        room[at(row(t, n % 2), n / 2) + member(t)] = e.round(two[0], two[1]);
      });
    });
    const Index base = to.at(b, first, h);
    e.each([&](int t) {
      for_pieces(t, [&](int r, int c) {
        if (first + r < end)
          e.store_packet(to.numbers, base + (r * to.token_stride + 8 * c),
                         __builtin_bit_cast(Packet<Bfloat16>, room.packet(at(r, c))));
      });
    });
  }

  /// Loads the 16 vectors of each warp as left factors.
  template <class Exec>
  static STLM_KERNEL void read_left(Exec& e, Left<Exec>& to, Vectors& from) {
    unroll<steps>([&](int s) { load_left(e, to[s], from, s); });
  }
  /// Loads columns 16 s .. 16 s + 15 of these vectors.
  template <class Exec>
  static STLM_KERNEL void load_left(Exec& e, PerThread<Exec, FragmentA>& to, Vectors& from, int s) {
    e.template load_matrices<false>(to, from, [&](int t) { return begin<false>(t, t / warp, s); });
  }
  /// Rounds two adjacent fragments of a product, 16 x 16, to a left factor of the next product.
  template <class Exec>
  static STLM_KERNEL FragmentA as_left(Exec& e, const FragmentC& a, const FragmentC& b) {
    return {{e.round(a.value[0], a.value[1]), e.round(a.value[2], a.value[3]), e.round(b.value[0], b.value[1]),
             e.round(b.value[2], b.value[3])}};
  }

 protected:
  /// f(vector, packet of it) for a thread's share of the tile; neighbouring threads have neighbouring packets. Unrolled where
  /// there are registers for that.
  template <class F>
  static STLM_KERNEL void for_pieces(int t, const F& f) {
    constexpr int of_vector = D / 8, rows = threads / of_vector;
    if constexpr (D <= 64 && threads % of_vector == 0)
      unroll<size / rows>([&](int i) { f(t / of_vector + i * rows, t % of_vector); });
    else
      STLM_KERNEL_LOOP for (int i = t; i < size * of_vector; i += threads) f(i / of_vector, i % of_vector);
  }
  /// Where the matrix row begins whose address thread t gives to load block (v, c), 16 vectors by 16 columns. Its four 8 x 8
  /// matrices are loaded down the vectors first, then across the columns: the order of the pairs in FragmentA, and in two
  /// FragmentBs for a sum over vectors. `Across`: across the columns first, as in two FragmentBs for a sum over columns.
  template <bool Across>
  static STLM_KERNEL int begin(int t, int v, int c) {
    const int one = t % 16 / 8, two = t % warp / 16;
    return at(16 * v + t % 8 + 8 * (Across ? two : one), 2 * c + (Across ? one : two));
  }
};

}  // namespace stlm::gpu
