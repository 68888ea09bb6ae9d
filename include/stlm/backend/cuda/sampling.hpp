// Sampling on a GPU (kernels/sampling.hpp): draws from all tokens or from those that a sort puts first. Nothing is read back.
#pragma once

#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/transform.h>

#include <stlm/backend/cuda/kernels/sampling.hpp>
#include <stlm/backend/cuda/thrust.hpp>

namespace stlm::gpu {

/// The row of token n, where n counts through all rows.
struct RowOfToken {
  std::int32_t vocabulary;
  STLM_HOST_DEVICE std::int32_t operator()(std::int32_t n) const { return n / vocabulary; }
};

/// All tokens, row by row, the likeliest of each row first, equally likely ones by id: sorted stably by value, then by row.
template <class T, class Rule, GpuBackend B>
const std::int32_t* likeliest_first(Context<B>& ctx, Scratch<B>& scratch, MatrixView<const T> logits,
                                    const Draw<Rule>* draws) {
  using Keys = SampleKeys<T, Rule>;
  const Index rows = logits.rows, size = rows * logits.cols;
  auto* const keys = scratch.template take<compute_t<T>>(size);
  std::int32_t* const order = scratch.template take<std::int32_t>(size);
  std::int32_t* const row_of = scratch.template take<std::int32_t>(size);
  ctx.launch(Keys{span(logits), {draws, rows}, {keys, size}, logits.cols, logits.stride}, ceil_div(size, Keys::threads));
  run_thrust(ctx, scratch, [&](const auto& policy) {
    thrust::sequence(policy, order, order + size);
    thrust::stable_sort_by_key(policy, keys, keys + size, order);
    if (rows == 1) return;
    thrust::transform(policy, order, order + size, row_of, RowOfToken{static_cast<std::int32_t>(logits.cols)});
    thrust::stable_sort_by_key(policy, row_of, row_of + size, order);
  });
  return order;
}

}  // namespace stlm::gpu

namespace stlm::ops {

template <GpuBackend B>
inline constexpr bool draws_tokens<B> = true;

template <GpuBackend B>
struct impl::Sampling<B> {
  template <class T, class Rule>
  static void sample(Context<B>& ctx, MatrixView<const T> logits, const SampleLimits& limits, Draw<Rule>* draws,
                     Token* tokens, Token* next) {
    const Index rows = logits.rows, size = rows * logits.cols;
    expect(size < Index{1} << 31, "stlm::ops::sample: expected fewer than 2^31 logits, found ", size,
           "; draw from fewer rows at once.");
    const Index keep = limits.top_k > 0 ? std::min(limits.top_k, logits.cols) : logits.cols;
    gpu::Scratch<B> scratch(ctx);
    const auto run = [&]<bool Sorted>(std::bool_constant<Sorted>, const std::int32_t* order) {
      using Kernel = gpu::SampleTokens<T, Rule, Sorted>;
      ctx.launch(Kernel{gpu::span(logits), {order, Sorted ? size : 0}, {draws, rows}, {tokens, rows}, {next, rows},
                        logits.stride, static_cast<int>(logits.cols), static_cast<int>(keep), limits.temperature,
                        limits.min_p, limits.top_p},
                 rows);
    };
    if (limits.temperature > 0 && (keep < logits.cols || limits.top_p < 1))
      run(std::true_type{}, gpu::likeliest_first(ctx, scratch, logits, draws));
    else
      run(std::false_type{}, nullptr);
  }
};

}  // namespace stlm::ops
