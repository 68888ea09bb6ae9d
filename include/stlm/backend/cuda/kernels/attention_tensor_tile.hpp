// Tiles of 64 vectors of a head for the tensor cores (fragments.hpp): rounded to Bfloat16 on their way to shared
// memory, in the order in which fragments read them.
//
// A block has 4 warps with 16 rows each. The right factor of a product is read by all of them from shared memory; a sum
// may run over its k in any order, if both factors agree. So that a lane's part of a fragment is 8 bytes side by side,
// an element of shared memory is a lane's whole FragmentB, and stands for the numbers with k =
//   over the columns of vectors:   16 s + 4 member + {0, 1}, {2, 3}     "Columns": element (vector, 4 s + member)
//   over the vectors:              16 s + 2 member + {0, 1}, {8, 9}     "Vectors": element (4 s + member, column)
// for step s of the sum. The second is the order in which the fragments of a product C can be the left factor of the
// next.
//
// Banks: 16 lanes (4 groups of 4 members) read 8 bytes each at once, that is 16 units of 8 bytes. Columns: a group's
// members are neighbours and rows of elements are 4 mod 16 or 12 mod 16 units long; Vectors: groups are neighbours,
// rows 4 mod 16 long. Either way the 16 units are different ones: no conflict.
#pragma once

#include <stlm/backend/cuda/fragments.hpp>
#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

template <int D>
struct TensorTile {
  static_assert(D % 16 == 0);
  static constexpr int size = 64, threads = 128, steps = D / 16;
  static constexpr int columns_stride = D / 4 + (D / 4 % 8 == 0 ? 4 : 0), vectors_stride = D + 4;
  using Columns = SharedArray<FragmentB, size * columns_stride>;
  using Vectors = SharedArray<FragmentB, size / 4 * vectors_stride>;
  using Rows = HeadRows<const float>;
  template <class Exec>
  using Left = Registers<Exec, FragmentA, steps>;  ///< 16 vectors of a warp
  template <class Exec>
  using Sums = Registers<Exec, FragmentC, D / 8>;

  static STLM_KERNEL int group(int t) { return t % warp / 4; }
  static STLM_KERNEL int member(int t) { return t % 4; }
  /// The tile's rows that a lane has numbers of: one in the first eight of its warp's 16, one in the second.
  static STLM_KERNEL int row(int t, int eight) { return t / warp * 16 + group(t) + 8 * eight; }

  /// A lane's part of the warp's 16 vectors from token `first` on, those before `end`.
  template <class Exec>
  static STLM_KERNEL void load_left(Exec& e, Left<Exec>& to, const Rows& x, int b, int first, int end, int h) {
    e.each([&](int t) {
      unroll<2>([&](int eight) {
        const int vector = first + row(t, eight);
        const Index at = x.at(b, vector, h) + 4 * member(t);
        unroll<steps>([&](int s) {
          Packet<float> four{};
          if (vector < end) four = e.load_packet(x.numbers, at + 16 * s);
          to[s][t].pair[eight] = e.round(four[0], four[1]);
          to[s][t].pair[2 + eight] = e.round(four[2], four[3]);
        });
      });
    });
  }

  /// Vectors first .. to shared memory, zeros from `end` on.
  template <class Exec>
  static STLM_KERNEL void load(Exec& e, int t, const Rows& x, int b, int first, int end, int h, Columns& to) {
    const Index base = x.at(b, first, h);
    for (int i = t; i < size * D / 4; i += threads) {
      const int r = i / (D / 4), c = i % (D / 4);
      const Packet<float> four = first + r < end ? load_four(e, x, base, r, c) : Packet<float>{};
      to[r * columns_stride + c] = FragmentB{{e.round(four[0], four[1]), e.round(four[2], four[3])}};
    }
  }
  template <class Exec>
  static STLM_KERNEL void load(Exec& e, int t, const Rows& x, int b, int first, int end, int h, Vectors& to) {
    load_both(e, t, x, b, first, end, h, static_cast<Columns*>(nullptr), to);
  }
  template <class Exec>
  static STLM_KERNEL void load(Exec& e, int t, const Rows& x, int b, int first, int end, int h, Columns& columns,
                               Vectors& vectors) {
    load_both(e, t, x, b, first, end, h, &columns, vectors);
  }

  /// A lane's part of the right factor: of 8 vectors n at step s, and of 8 columns n at step s of the vectors.
  static STLM_KERNEL FragmentB right(Columns& from, int t, int n, int s) {
    return from[(8 * n + group(t)) * columns_stride + 4 * s + member(t)];
  }
  static STLM_KERNEL FragmentB right(Vectors& from, int t, int n, int s) {
    return from[(4 * s + member(t)) * vectors_stride + 8 * n + group(t)];
  }
  /// sum += left right, of the right factor's eight columns n at step s.
  template <class Exec, class Array>
  static STLM_KERNEL void multiply(Exec& e, PerThread<Exec, FragmentC>& sum, PerThread<Exec, FragmentA>& left,
                                   Array& from, int n, int s) {
    PerThread<Exec, FragmentB> b;
    e.each([&](int t) { b[t] = right(from, t, n, s); });
    e.mma(sum, left, b);
  }
  /// Two fragments of a product side by side, 16 x 16, as the left factor of the next.
  template <class Exec>
  static STLM_KERNEL FragmentA as_left(Exec& e, const FragmentC& a, const FragmentC& b) {
    return {{e.round(a.value[0], a.value[1]), e.round(a.value[2], a.value[3]), e.round(b.value[0], b.value[1]),
             e.round(b.value[2], b.value[3])}};
  }

  /// The warps' 16 vectors, 16 bytes at once: neighbouring lanes exchange half of their numbers first.
  template <class Exec>
  static STLM_KERNEL void store(Exec& e, Sums<Exec>& sum, const HeadRows<float>& to, int b, int first, int end, int h) {
    unroll<D / 8>([&](int n) {
      PerThread<Exec, float> other[2];
      unroll<2>([&](int i) {
        e.each([&](int t) { other[i][t] = t % 2 ? sum[n][t].value[i] : sum[n][t].value[2 + i]; });
        e.shuffle(other[i], [](int t) { return t % warp ^ 1; });
      });
      e.each([&](int t) {
        const int vector = first + row(t, t % 2);
        if (vector >= end) return;
        const auto& mine = sum[n][t].value;
        e.store_packet(to.numbers, to.at(b, vector, h) + 8 * n + member(t) / 2 * 4,
                       t % 2 ? Packet<float>{{other[0][t], other[1][t], mine[2], mine[3]}}
                             : Packet<float>{{mine[0], mine[1], other[0][t], other[1][t]}});
      });
    });
  }

 private:
  template <class Exec>
  static STLM_KERNEL Packet<float> load_four(Exec& e, const Rows& x, Index base, int r, int c) {
    return e.load_packet(x.numbers, base + static_cast<Index>(r) * x.token_stride + 4 * c);
  }
  template <class Exec>
  static STLM_KERNEL void load_both(Exec& e, int t, const Rows& x, int b, int first, int end, int h, Columns* columns,
                                    Vectors& vectors) {
    const Index base = x.at(b, first, h);
    for (int i = t; i < size / 4 * D / 4; i += threads) {
      const int fours = i / (D / 4), c = i % (D / 4), top = fours / 4 * 16 + fours % 4 * 2;
      Packet<float> four[4];
      unroll<4>([&](int r) {
        const int at = top + r % 2 + r / 2 * 8;
        four[r] = first + at < end ? load_four(e, x, base, at, c) : Packet<float>{};
        if (columns)
          (*columns)[at * columns_stride + c] =
              FragmentB{{e.round(four[r][0], four[r][1]), e.round(four[r][2], four[r][3])}};
      });
      unroll<2>([&](int p) {
        Packet<FragmentB> two;
        unroll<2>([&](int j) {
          const int n = 2 * p + j;
          two[j] = {{e.round(four[0][n], four[1][n]), e.round(four[2][n], four[3][n])}};
        });
        vectors.set_packet(fours * vectors_stride + 4 * c + 2 * p, two);
      });
    }
  }
};

}  // namespace stlm::gpu
