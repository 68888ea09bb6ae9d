// Pooling by attention. `received` recomputes the probabilities in tiles of 64 queries by 64 keys; each task has its own keys
// and sums over heads and queries in order. `keep_highest` has one task per sequence.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/gemm_kernel.hpp>
#include <stlm/ops/attention_pool.hpp>

namespace stlm::ops::impl {

template <>
struct AttentionPool<EigenBackend> {
  using Ctx = Context<EigenBackend>;
  static constexpr Index tile = 64;

  template <class T>
  static void received(Ctx& ctx, HeadsView<const T> q, HeadsView<const T> k, const T* lse, View<T, dynamic, dynamic> scores) {
    static_assert((tile * tile + eigen::GemmSizes<T>::scratch) * Index{sizeof(T)} <= Ctx::scratch_bytes);
    const Index tokens = scores.extent(1), tiles = (tokens + tile - 1) / tile, group = q.heads / k.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(q.head_size)));
    ctx.parallel_for(scores.extent(0) * tiles, [=, &ctx](Index task, int worker) {
      const Index b = task / tiles, j = task % tiles * tile, cols = std::min(tile, tokens - j);
      T *const p = ctx.scratch<T>(worker), *const scratch = p + tile * tile;
      auto sums = eigen::array(&scores(b, j), cols);
      sums.setZero();
      for (Index h = 0; h < q.heads; ++h)
        for (Index i = 0; i < tokens; i += tile) {
          const Index rows = std::min(tile, tokens - i);
          eigen::gemm_serial<T, T, T>(rows, cols, q.head_size, {q(b, i, h), q.token_stride, 1},
                                      {k(b, j, h / group), 1, k.token_stride}, p, tile, false, scratch);
          for (Index r = 0; r < rows; ++r)
            sums += (eigen::array(p + r * tile, cols) * scale - lse[(b * q.heads + h) * tokens + i + r]).exp();
        }
      sums /= static_cast<T>(q.heads * tokens);
    });
  }
  template <class T>
  static void keep_highest(Ctx& ctx, View<T, dynamic, dynamic> scores, bool by_score, View<Token, dynamic, dynamic> picks) {
    const Index tokens = scores.extent(1);
    ctx.parallel_for(scores.extent(0), [=](Index b, int) {
      pick_highest(&scores(b, 0), tokens, picks.extent(1), by_score, b * tokens, &picks(b, 0));
    });
  }
};

}  // namespace stlm::ops::impl
