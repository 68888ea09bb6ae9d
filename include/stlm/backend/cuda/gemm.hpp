// Matrix products on a GPU. In mixed precision factors of float are rounded to Bfloat16 in scratch memory first; the
// product itself is the context's: cuBLASLt, or loops where the CPU stands in for the device.
#pragma once

#include <stlm/backend/cuda/kernels/round_matrix.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm::ops::impl {

template <GpuBackend Backend>
struct Gemm<Backend> {
  template <class S, class A, class B, class T>
  static void run(Context<Backend>& ctx, MatrixView<const A> a, MatrixView<const B> b, MatrixView<T> c,
                  const GemmOptions& options) {
    gpu::Scratch<Backend> scratch(ctx);
    if constexpr (std::is_same_v<S, Bfloat16>)
      ctx.product(gpu::rounded(ctx, scratch, a), gpu::rounded(ctx, scratch, b), c, options);
    else
      ctx.product(a, b, c, options);
  }
};

}  // namespace stlm::ops::impl
