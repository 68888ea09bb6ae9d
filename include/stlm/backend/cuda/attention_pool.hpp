// Pooling by attention on a GPU (kernels/attention_pool.hpp).
#pragma once

#include <stlm/backend/cuda/kernels/attention_pool.hpp>
#include <stlm/backend/cuda/scratch.hpp>
#include <stlm/ops/attention_pool.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct AttentionPool<B> {
  using Ctx = Context<B>;

  template <class T, class Real = compute_t<T>>
  static void received(Ctx& ctx, HeadsView<const T> q, HeadsView<const T> k, const Real* lse,
                       View<Real, dynamic, dynamic> scores) {
    using Kernel = gpu::AttentionReceived<T>;
    using Mean = gpu::MeanOfHeads<Real>;
    const Index batch = scores.extent(0), tokens = scores.extent(1), size = scores.size() * q.heads;
    if (size == 0) return;
    gpu::Scratch<B> scratch(ctx);
    const gpu::Span<Real> by_head{scratch.template take<Real>(size), size};
    ctx.launch(Kernel{{q, batch, tokens},
                      {k, batch, tokens},
                      {lse, size},
                      by_head,
                      static_cast<int>(tokens),
                      static_cast<int>(q.heads),
                      static_cast<int>(q.heads / k.heads),
                      Real(1 / std::sqrt(static_cast<double>(q.head_size)))},
               batch * q.heads * gpu::ceil_div(tokens, Kernel::size));
    ctx.launch(Mean{by_head, {scores.data(), scores.size()}, tokens, q.heads},
               gpu::ceil_div(scores.size(), Mean::threads));
  }
  template <class T>
  static void keep_highest(Ctx& ctx, View<T, dynamic, dynamic> scores, bool by_score,
                           View<Token, dynamic, dynamic> picks) {
    const Index size = scores.size(), blocks = gpu::ceil_div(size, gpu::PickRanks::threads);
    gpu::Scratch<B> scratch(ctx);
    const gpu::Span<std::int32_t> ranks{scratch.template take<std::int32_t>(size), size};
    ctx.launch(gpu::RankScores<T>{{scores.data(), size}, ranks, scores.extent(1)}, blocks);
    ctx.launch(gpu::PickRanks{ranks, {picks.data(), picks.size()}, scores.extent(1), picks.extent(1), by_score},
               blocks);
  }
};

}  // namespace stlm::ops::impl
