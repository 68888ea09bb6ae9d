// Products of 64 x 64 tiles in shared memory, for attention in any scalar and head size. Tiles and sums hold
// compute_t<T>, whatever scalar T the vectors are stored in.
//
// Each of 256 threads has 4 x 4 sums; for every step of a sum it reads four numbers of each factor and does 16 FMAs. A
// factor is stored step by step: the 64 numbers of one step lie side by side. A head's vectors are cut into pieces of 64
// columns: products over the head size add up piece by piece; outputs have a block of threads for each piece.
#pragma once

#include <stlm/backend/cuda/kernels/attention_dropout.hpp>
#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/kernels/attention_rows.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

template <class T>
struct AttentionTile {
  static constexpr int size = 64, threads = 256, stride = size + 4;
  using Real = compute_t<T>;
  struct Shared {
    SharedArray<Real, size * stride> left, right;
  };
  template <class Exec>
  using Sums = Registers<Exec, Real, 16>;  ///< element (r, c) of a thread's 4 x 4 is number 4 r + c
  using Four = Numbers<Real, 4>;

  /// Where a thread's 4 x 4 numbers begin; the 16 threads of the same rows are neighbours.
  static STLM_KERNEL int row(int t) { return t / 16 * 4; }
  static STLM_KERNEL int col(int t) { return t % 16 * 4; }

  template <class Array>
  static STLM_KERNEL Four read(Array& from, int i) {
    Four four;
    for (int p = 0; p < 4; p += Packet<Real>::size) {
      const Packet<Real> packet = from.packet(i + p);
      for (int j = 0; j < Packet<Real>::size; ++j) four[p + j] = packet[j];
    }
    return four;
  }
  template <class Array>
  static STLM_KERNEL void write(Array& to, int i, const Four& four) {
    for (int p = 0; p < 4; p += Packet<Real>::size) {
      Packet<Real> packet;
      for (int j = 0; j < Packet<Real>::size; ++j) packet[j] = four[p + j];
      to.set_packet(i + p, packet);
    }
  }

  /// Loads columns col .. col + 63 of 64 vectors (b, first .., h); those from `end` on are zero. Stores them step by step
  /// for a sum over the vectors (a vector's numbers side by side) or, with `Across`, for a sum over the columns.
  template <bool Across, class Exec, class Array>
  static STLM_KERNEL void load_vectors(Exec& e, int t, const HeadRows<const T>& x, int b, int first, int end, int h,
                                       int col, Array& to) {
    constexpr int W = Packet<T>::size < 4 ? 4 : Packet<T>::size;  // numbers at once
    const Index base = x.at(b, first, h) + col;
    for (int i = t; i < size * size / W; i += threads) {
      const int r = Across ? i % size : i / (size / W), c = (Across ? i / size : i % (size / W)) * W;
      if (Across && col + c >= x.head_size) return;  // the product has no such steps
      Numbers<Real, W> numbers{};
      if (first + r < end) {
        const Index at = base + static_cast<Index>(r) * x.token_stride + c, rest = x.head_size - col - c;
        if (x.packets && rest >= W)
          numbers = load_numbers<W>(e, x.numbers, at);
        else
          for (int j = 0; j < W; ++j)
            if (j < rest) numbers[j] = load_number(e, x.numbers, at + j);
      }
      if constexpr (Across)
        for (int j = 0; j < W; ++j) to[(c + j) * stride + r] = numbers[j];
      else
        for (int j = 0; j < W; j += 4)
          write(to, r * stride + c + j, {numbers[j], numbers[j + 1], numbers[j + 2], numbers[j + 3]});
    }
  }

  /// sum += left^T right, summed over `steps` steps; ends with a barrier.
  template <class Exec>
  static STLM_KERNEL void multiply(Exec& e, Shared& shared, Sums<Exec>& sum, int steps) {
    e.phase([&](int t) {
      for (int k = 0; k < steps; ++k) {
        const Four left = read(shared.left, k * stride + row(t)), right = read(shared.right, k * stride + col(t));
        unroll<16>([&](int i) { sum[i][t] += left[i / 4] * right[i % 4]; });
      }
      e.flops(32 * steps);
    });
  }
  /// sum = the dot products of vectors a (ba, i .., ha) with vectors c (bc, j .., hc).
  template <class Exec>
  static STLM_KERNEL void dot_products(Exec& e, Shared& shared, Sums<Exec>& sum, int ba, const HeadRows<const T>& a,
                                       int i, int a_end, int ha, int bc, const HeadRows<const T>& c, int j, int c_end,
                                       int hc) {
    e.each([&](int t) { unroll<16>([&](int n) { sum[n][t] = 0; }); });
    for (int col = 0; col < a.head_size; col += size) {
      e.phase([&](int t) {
        load_vectors<true>(e, t, a, ba, i, a_end, ha, col, shared.left);
        load_vectors<true>(e, t, c, bc, j, c_end, hc, col, shared.right);
      });
      multiply(e, shared, sum, a.head_size - col < size ? a.head_size - col : size);
    }
  }
  /// Subtracts ALiBi's term from the scores of queries i .. and keys j .., which are not yet multiplied by `scale`.
  template <class Exec>
  static STLM_KERNEL void add_alibi(Exec& e, Sums<Exec>& scores, const AttentionNumbers& shape, int h, int i, int j,
                                    Real scale) {
    const Real slope = std::exp2(static_cast<Real>(shape.log2_slope(h))) / scale;
    e.each([&](int t) {
      const int distance = shape.position(i + row(t)) - j - col(t);
      unroll<16>([&](int n) {
        const int far = distance + n / 4 - n % 4;
        scores[n][t] -= slope * static_cast<Real>(far < 0 ? -far : far);
      });
    });
  }
  /// Stores the sums, times `factor`, to the columns of `piece` of the vectors (b, first .., h) before `end`.
  template <class Exec>
  static STLM_KERNEL void store_vectors(Exec& e, Sums<Exec>& sum, const HeadRows<T>& to, int b, int first, int end,
                                        int h, int piece, Real factor) {
    e.each([&](int t) {
      const int c = piece * size + col(t), rest = to.head_size - c;
      unroll<4>([&](int r) {
        if (first + row(t) + r >= end) return;
        const Index i = to.at(b, first + row(t) + r, h) + c;
        Four four;
        unroll<4>([&](int j) { four[j] = factor * sum[4 * r + j][t]; });
        if constexpr (Packet<T>::size <= 4)
          if (to.packets && rest >= 4) return store_numbers<4>(e, to.numbers, i, four);
        unroll<4>([&](int j) {
          if (j < rest) store_number(e, to.numbers, i + j, four[j]);
        });
      });
    });
  }
};

}  // namespace stlm::gpu
