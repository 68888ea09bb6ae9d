// Products of 64 x 64 tiles in shared memory, for attention in any scalar and head size.
//
// 256 threads have 4 x 4 sums each; for every step of the product they read two times four numbers and do 16 FMAs. A
// factor lies "by steps": the 64 numbers of one step of the sum side by side. A head's vectors come in pieces of 64
// columns: products over the head size add up piece by piece, outputs have a block of threads for each piece.
#pragma once

#include <stlm/backend/cuda/kernels/attention_dropout.hpp>
#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/kernels/attention_rows.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

template <class T>
struct AttentionTile {
  static constexpr int size = 64, threads = 256, stride = size + 4;
  struct Shared {
    SharedArray<T, size * stride> left, right;
  };
  template <class Exec>
  using Sums = Registers<Exec, T, 16>;  ///< element (r, c) of a thread's 4 x 4 is number 4 r + c
  using Four = Numbers<T, 4>;

  /// Where a thread's 4 x 4 numbers begin; the 16 threads of the same rows are neighbours.
  static STLM_KERNEL int row(int t) { return t / 16 * 4; }
  static STLM_KERNEL int col(int t) { return t % 16 * 4; }

  template <class Array>
  static STLM_KERNEL Four read(Array& from, int i) {
    Four four;
    for (int p = 0; p < 4; p += Packet<T>::size) {
      const Packet<T> packet = from.packet(i + p);
      for (int j = 0; j < Packet<T>::size; ++j) four[p + j] = packet[j];
    }
    return four;
  }
  template <class Array>
  static STLM_KERNEL void write(Array& to, int i, const Four& four) {
    for (int p = 0; p < 4; p += Packet<T>::size) {
      Packet<T> packet;
      for (int j = 0; j < Packet<T>::size; ++j) packet[j] = four[p + j];
      to.set_packet(i + p, packet);
    }
  }
  /// Numbers i .. i + 3 of a vector that has `rest` from the i-th on; zeros after its end.
  template <class Exec>
  static STLM_KERNEL Four load(Exec& e, const HeadRows<const T>& x, Index i, int rest) {
    Four four{};
    if (x.packets && rest >= 4)
      for (int p = 0; p < 4; p += Packet<T>::size) {
        const Packet<T> packet = e.load_packet(x.numbers, i + p);
        for (int j = 0; j < Packet<T>::size; ++j) four[p + j] = packet[j];
      }
    else
      for (int j = 0; j < 4; ++j)
        if (j < rest) four[j] = e.load(x.numbers, i + j);
    return four;
  }

  /// Columns col .. col + 63 of the vectors (b, first .., h), 64 of them or up to `end`; zeros elsewhere. By steps of a
  /// sum over the vectors (a vector's numbers side by side), or over the columns (`Across`).
  template <bool Across, class Exec, class Array>
  static STLM_KERNEL void load_vectors(Exec& e, int t, const HeadRows<const T>& x, int b, int first, int end, int h,
                                       int col, Array& to) {
    const Index base = x.at(b, first, h) + col;
    for (int i = t; i < size * size / 4; i += threads) {
      const int r = Across ? i % size : i / 16, c = (Across ? i / size : i % 16) * 4;
      if (Across && col + c >= x.head_size) return;  // the product ends before
      Four four{};
      if (first + r < end) four = load(e, x, base + static_cast<Index>(r) * x.token_stride + c, x.head_size - col - c);
      if constexpr (Across)
        for (int j = 0; j < 4; ++j) to[(c + j) * stride + r] = four[j];
      else
        write(to, r * stride + c, four);
    }
  }

  /// sum += left^T right, over `steps` of them; then a barrier.
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
  /// sum = the products of vectors a (ba, i .., ha) with vectors c (bc, j .., hc).
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
  /// Of queries i .. and keys j ..: scores lose ALiBi's share, here before they are scaled.
  template <class Exec>
  static STLM_KERNEL void add_alibi(Exec& e, Sums<Exec>& scores, const AttentionNumbers& shape, int h, int i, int j,
                                    T scale) {
    const T slope = std::exp2(static_cast<T>(shape.log2_slope(h))) / scale;
    e.each([&](int t) {
      const int distance = shape.position(i + row(t)) - j - col(t);
      unroll<16>([&](int n) {
        const int far = distance + n / 4 - n % 4;
        scores[n][t] -= slope * static_cast<T>(far < 0 ? -far : far);
      });
    });
  }
  /// A thread's 4 x 4 numbers of a piece of an output: row r is vector (b, first + r, h) below `end`, times `factor`.
  template <class Exec>
  static STLM_KERNEL void store_vectors(Exec& e, Sums<Exec>& sum, const HeadRows<T>& to, int b, int first, int end,
                                        int h, int piece, T factor) {
    e.each([&](int t) {
      const int c = piece * size + col(t), rest = to.head_size - c;
      unroll<4>([&](int r) {
        if (first + row(t) + r >= end) return;
        const Index i = to.at(b, first + row(t) + r, h) + c;
        if (to.packets && rest >= 4)
          for (int p = 0; p < 4; p += Packet<T>::size) {
            Packet<T> packet;
            for (int j = 0; j < Packet<T>::size; ++j) packet[j] = factor * sum[4 * r + p + j][t];
            e.store_packet(to.numbers, i + p, packet);
          }
        else
          for (int j = 0; j < 4; ++j)
            if (j < rest) e.store(to.numbers, i + j, factor * sum[4 * r + j][t]);
      });
    });
  }
};

}  // namespace stlm::gpu
