// Matrix products on a GPU. In mixed precision factors of float are rounded to Bfloat16 in scratch memory first; the
// product itself is the context's: cuBLASLt, or loops where the CPU stands in for the device.
#pragma once

#include <stlm/backend/cuda/elementwise.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm::gpu {

/// x as tensor cores want it, in scratch memory: Bfloat16, each row at a multiple of 16 bytes.
template <class B, class T>
MatrixView<const Bfloat16> rounded(Context<B>& ctx, Scratch<B>& scratch, MatrixView<const T> x) {
  if constexpr (std::is_same_v<T, Bfloat16>) {
    return x;
  } else {
    constexpr Index packet = Packet<Bfloat16>::size;
    const Index stride = pieces(x.cols, packet) * packet;
    const MatrixView<Bfloat16> y(scratch.template take<Bfloat16>(x.rows * stride), x.rows, x.cols, stride);
    map(ctx, Convert<float>{}, std::array{y}, std::array{x});
    return y;
  }
}

}  // namespace stlm::gpu

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
