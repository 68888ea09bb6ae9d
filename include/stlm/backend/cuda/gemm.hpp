// Matrix products on a GPU. In mixed precision factors of float are rounded to Bfloat16 in scratch memory first. Few rows
// times the rows of a matrix, as when a token is decoded, have a kernel of their own (kernels/few_rows.hpp); other products
// are the context's: cuBLASLt, or loops where the CPU stands in for the device.
#pragma once

#include <stlm/backend/cuda/elementwise.hpp>
#include <stlm/backend/cuda/kernels/few_rows.hpp>
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

namespace stlm::ops {

template <GpuBackend B>
inline constexpr bool adds_in_products<B> = true;

namespace impl {

template <GpuBackend Backend>
struct Gemm<Backend> {
  template <class S, class A, class B, class T>
  static void run(Context<Backend>& ctx, MatrixView<const A> a, MatrixView<const B> b, MatrixView<T> c, const T* addend,
                  const GemmOptions& options) {
    gpu::Scratch<Backend> scratch(ctx);
    if constexpr (std::is_same_v<S, Bfloat16>)
      product(ctx, gpu::rounded(ctx, scratch, a), gpu::rounded(ctx, scratch, b), c, addend, options);
    else
      product(ctx, a, b, c, addend, options);
  }

 private:
  static constexpr Index few_rows = 8;  ///< that leave most of a library's tile empty

  template <class F, class T>
  static void product(Context<Backend>& ctx, MatrixView<const F> a, MatrixView<const F> b, MatrixView<T> c,
                      const T* addend, const GemmOptions& options) {
    const bool rows_of_both = !options.transpose_a && options.transpose_b;
    if constexpr (!std::is_same_v<F, double>)
      if (rows_of_both && c.rows > 0 && c.rows <= few_rows && a.cols > 0 && gpu::in_packets(a, b)) {
        const auto launch = [&]<int M>(gpu::Constant<M>) {
          const gpu::FewRows<F, T, M> kernel{gpu::span(a), gpu::span(b), {addend, gpu::span(c).size}, gpu::span(c),
                                             a.stride, b.stride, c.stride, static_cast<int>(c.rows),
                                             static_cast<int>(c.cols), static_cast<int>(a.cols)};
          ctx.launch(kernel, kernel.blocks());
        };
        return c.rows == 1   ? launch(gpu::constant<1>)
               : c.rows <= 4 ? launch(gpu::constant<4>)
                             : launch(gpu::constant<8>);
      }
    ctx.product(a, b, c, addend, options);
  }
};

}  // namespace impl
}  // namespace stlm::ops
