// What happens to scores between two products on tensor cores, where a warp's rows are 16 queries and N fragments side
// by side are 8 N keys: ALiBi and the mask. Only tiles at the edges of the mask come here for the second.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_tile.hpp>

namespace stlm::gpu {

template <int N>
struct TensorScores {
  template <class Exec>
  using Fragments = Registers<Exec, FragmentC, N>;

  /// Scores lose slope |i - j|. First query i, first key j; below `i_end` for those that exist.
  template <class Exec>
  static STLM_KERNEL void add_alibi(Exec& e, Fragments<Exec>& s, const AttentionNumbers& shape, float slope, int i,
                                    int j) {
    e.each([&](int t) {
      const int distance = shape.position(i + tile_row(t)) - j - 2 * (t % 4);
      unroll<4 * N>([&](int n) {
        const int far = distance + n % 4 / 2 * 8 - n / 4 * 8 - n % 2;
        s[n / 4][t].value[n % 4] -= slope * static_cast<float>(far < 0 ? -far : far);
      });
    });
  }
  /// Keys that a query does not read lie at minus infinity.
  template <class Exec>
  static STLM_KERNEL void mask(Exec& e, Fragments<Exec>& s, const AttentionNumbers& shape, int i, int i_end, int j) {
    e.each([&](int t) {
      const int first = j + 2 * (t % 4);
      unroll<2>([&](int eight) {
        const RowRange seen = shape.visible_to(e, i + tile_row(t) + 8 * eight, i_end);
        unroll<2 * N>([&](int n) {
          const int key = first + n / 2 * 8 + n % 2;
          if (key < seen.begin || key >= seen.end) s[n / 2][t].value[2 * eight + n % 2] = -INFINITY;
        });
      });
    });
  }
  /// Numbers of keys that the dropout mask drops become zero, the others those times `keep`. First key 32 word + bit.
  template <class Exec, class Kept>
  static STLM_KERNEL void drop(Exec& e, Fragments<Exec>& x, Kept& bits, float keep, int first_key) {
    e.each([&](int t) {
      unroll<2>([&](int eight) {
        unroll<(N + 3) / 4>([&](int word) {
          const std::uint32_t of_row = bits[2 * (tile_row(t) + 8 * eight) + first_key / 32 + word];
          const std::uint32_t kept = of_row >> (first_key % 32 + 2 * (t % 4));
          unroll<(N < 4 ? 2 * N : 8)>([&](int n) {
            x[4 * word + n / 2][t].value[2 * eight + n % 2] *= kept >> (n / 2 * 8 + n % 2) & 1 ? keep : 0.f;
          });
        });
      });
    });
  }

 private:
  /// The first of a lane's two rows.
  static STLM_KERNEL int tile_row(int t) { return t / warp * 16 + t % warp / 4; }
};

}  // namespace stlm::gpu
