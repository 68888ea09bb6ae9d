// As attention_tensor_scores.hpp, but for transposed scores: a warp's rows are 16 keys, N fragments side by side are 8 N
// queries. Probabilities are computed from each query's QueryRow.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_scores.hpp>

namespace stlm::gpu {

/// Of a query: `level`, its lse * log2(e), infinite if it reads no key so that its probabilities are zero; `mean`, its delta.
struct alignas(8) QueryRow {
  float level, mean;
};

/// Scores of 8 N queries, from query `first` of the tile that begins at query i, and of keys j ..
template <int N>
struct TensorKeyScores : FragmentLanes {
  template <class Exec>
  using Fragments = Registers<Exec, FragmentC, N>;

  /// Subtracts slope |i - j| from the scores.
  template <class Exec>
  static STLM_KERNEL void add_alibi(Exec& e, Fragments<Exec>& s, const AttentionNumbers& shape, float slope, int i, int j,
                                    int first) {
    e.each([&](int t) {
      const int before = shape.position(i) - j - row(t, 0);
      for_columns(t, first, [&](int column, int query) {
        unroll<2>([&](int eight) {
          const int far = before + query - 8 * eight;
          s[column / 2][t].value[2 * eight + column % 2] -= slope * static_cast<float>(far < 0 ? -far : far);
        });
      });
    });
  }
  /// Keys that a query does not read get a score of minus infinity.
  template <class Exec>
  static STLM_KERNEL void mask(Exec& e, Fragments<Exec>& s, const AttentionNumbers& shape, int i, int i_end, int j,
                               int first) {
    e.each([&](int t) {
      const int first_key = j + row(t, 0);
      for_columns(t, first, [&](int column, int query) {
        const RowRange seen = shape.visible_to(e, i + query, i_end);
        unroll<2>([&](int eight) {
          const int key = first_key + 8 * eight;
          if (key < seen.begin || key >= seen.end) s[column / 2][t].value[2 * eight + column % 2] = -INFINITY;
        });
      });
    });
  }
  /// Dropout: dropped numbers become zero, others are multiplied by `keep`.
  template <class Exec>
  static STLM_KERNEL void drop(Exec& e, Fragments<Exec>& x, KeptBits& bits, float keep, int first) {
    e.each([&](int t) {
      for_columns(t, first, [&](int column, int query) {
        const std::uint32_t of_query = bits[2 * query + row(t, 0) / 32];
        const std::uint32_t kept = of_query >> row(t, 0) % 32;
        unroll<2>(
            [&](int eight) { x[column / 2][t].value[2 * eight + column % 2] *= kept >> 8 * eight & 1 ? keep : 0.f; });
      });
    });
  }
  /// p: scores become probabilities. ds: gradients of probabilities become gradients of scores.
  template <class Exec, class Rows>
  static STLM_KERNEL void probabilities(Exec& e, Fragments<Exec>& p, Fragments<Exec>& ds, Rows& known, float factor,
                                        int first) {
    e.each([&](int t) {
      for_columns(t, first, [&](int column, int query) {
        const QueryRow of_query = known[query];
        unroll<2>([&](int eight) {
          const int n = 2 * eight + column % 2;
          float &probability = p[column / 2][t].value[n], &gradient = ds[column / 2][t].value[n];
          probability = e.exp2(probability * factor - of_query.level);
          gradient = probability * (gradient - of_query.mean);
        });
      });
      e.flops(5 * 4 * N);
    });
  }

 private:
  /// f(column, query of the tile) for a lane's columns.
  template <class F>
  static STLM_KERNEL void for_columns(int t, int first, const F& f) {
    unroll<2 * N>([&](int column) { f(column, first + 2 * member(t) + column / 2 * 8 + column % 2); });
  }
};

}  // namespace stlm::gpu
