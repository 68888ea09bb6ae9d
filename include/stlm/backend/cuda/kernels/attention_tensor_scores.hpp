// ALiBi, mask and dropout, applied between two products on tensor cores. A warp's rows are 16 queries; N fragments side by
// side are 8 N keys. Only tiles at the edges of the mask need `mask`.
#pragma once

#include <stlm/backend/cuda/fragments.hpp>
#include <stlm/backend/cuda/kernels/attention_dropout.hpp>
#include <stlm/backend/cuda/kernels/attention_rows.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

inline constexpr float log2_e = 1.4426950408889634f;

/// Bits of the dropout mask for 64 queries and 64 keys: for each query 2 words of 32 keys.
using KeptBits = SharedArray<std::uint32_t, 128>;

/// Draws the bits for queries i .. and keys j .., a word in each of 128 threads.
template <class Exec>
STLM_KERNEL void draw_kept(Exec& e, int t, const AttentionNumbers& shape, int b, int h, int i, int i_end, int j,
                           KeptBits& to) {
  const int query = i + t / 2 < i_end ? i + t / 2 : i;
  const RowRange part = shape.sequence(e, query);
  const Index first = shape.mask_element(part, shape.row(part, b, h, query), j + t % 2 * 32);
  to[t] = kept_bits<32>(shape.masks.now(e), shape.dropped, first);
}

template <int N>
struct TensorScores : FragmentLanes {
  template <class Exec>
  using Fragments = Registers<Exec, FragmentC, N>;

  /// Subtracts slope |i - j| from the scores of queries i .. and keys j ..
  template <class Exec>
  static STLM_KERNEL void add_alibi(Exec& e, Fragments<Exec>& s, const AttentionNumbers& shape, float slope, int i,
                                    int j) {
    e.each([&](int t) {
      const int distance = shape.position(i + row(t, 0)) - j - 2 * member(t);
      unroll<4 * N>([&](int n) {
        const int far = distance + n % 4 / 2 * 8 - n / 4 * 8 - n % 2;
        s[n / 4][t].value[n % 4] -= slope * static_cast<float>(far < 0 ? -far : far);
      });
    });
  }
  /// Keys that a query does not read get a score of minus infinity.
  template <class Exec>
  static STLM_KERNEL void mask(Exec& e, Fragments<Exec>& s, const AttentionNumbers& shape, int i, int i_end, int j) {
    e.each([&](int t) {
      const int first = j + 2 * member(t);
      unroll<2>([&](int eight) {
        const RowRange seen = shape.visible_to(e, i + row(t, eight), i_end);
        unroll<2 * N>([&](int n) {
          const int key = first + n / 2 * 8 + n % 2;
          if (key < seen.begin || key >= seen.end) s[n / 2][t].value[2 * eight + n % 2] = -INFINITY;
        });
      });
    });
  }
  /// Dropout: numbers of dropped keys become zero, others are multiplied by `keep`. x begins at key `first_key` of the tile.
  template <class Exec>
  static STLM_KERNEL void drop(Exec& e, Fragments<Exec>& x, KeptBits& bits, float keep, int first_key) {
    e.each([&](int t) {
      unroll<2>([&](int eight) {
        unroll<(N + 3) / 4>([&](int word) {
          const std::uint32_t of_row = bits[2 * row(t, eight) + first_key / 32 + word];
          const std::uint32_t kept = of_row >> (first_key % 32 + 2 * member(t));
          unroll<(N < 4 ? 2 * N : 8)>([&](int n) {
            x[4 * word + n / 2][t].value[2 * eight + n % 2] *= kept >> (n / 2 * 8 + n % 2) & 1 ? keep : 0.f;
          });
        });
      });
    });
  }
};

}  // namespace stlm::gpu
