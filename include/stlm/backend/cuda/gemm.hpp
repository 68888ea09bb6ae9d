// Matrix products on a GPU. In mixed precision float factors are first rounded to Bfloat16 in scratch memory. A product A B^T
// with few rows of A, as in decoding, has its own kernel (kernels/few_rows.hpp), which can also compute these rows. Other
// products are done by Context::product: cuBLASLt, or loops where the CPU stands in for the device.
#pragma once

#include <stlm/backend/cuda/elementwise.hpp>
#include <stlm/backend/cuda/kernels/few_rows.hpp>
#include <stlm/backend/cuda/lt_shape.hpp>
#include <stlm/ops/fused_gemm.hpp>

namespace stlm::gpu {

/// x in Bfloat16 for the tensor cores: x itself, or a copy in scratch memory whose rows begin at multiples of 16 bytes.
template <class B, class T>
MatrixView<const Bfloat16> rounded(Context<B>& ctx, Scratch<B>& scratch, MatrixView<const T> x) {
  if constexpr (std::is_same_v<T, Bfloat16>) {
    return x;
  } else {
    constexpr Index packet = Packet<Bfloat16>::size;
    const Index stride = ceil_div(x.cols, packet) * packet;
    const MatrixView<Bfloat16> y(scratch.template take<Bfloat16>(x.rows * stride), x.rows, x.cols, stride);
    map(ctx, Convert<float>{}, std::array{y}, std::array{x});
    return y;
  }
}

}  // namespace stlm::gpu

namespace stlm::ops {

template <GpuBackend B>
inline constexpr bool adds_in_products<B> = true;
template <GpuBackend B>
inline constexpr bool fuses_few_rows<B> = true;
template <GpuBackend B>
inline constexpr Index batch_numbers<B> = Index{1} << 22;

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

  template <class S, class F, class T>
  static void run_batch(Context<Backend>& ctx, const MatrixBatch<const F>& a, const MatrixBatch<const F>& b,
                        const MatrixBatch<T>& c, const GemmOptions& options) {
    if constexpr (std::is_same_v<S, F>)
      ctx.product(a.first, b.first, c.first, options.accumulate ? c.first.data : nullptr, options,
                  gpu::LtBatch{c.count, a.step, b.step, c.step});
    else
      for (Index i = 0; i < c.count; ++i) run<S>(ctx, a[i], b[i], c[i], options.accumulate ? c[i].data : nullptr, options);
  }

  /// Returns false and does nothing unless there are few rows, the operands lie in packets and F is T.
  template <class F, class T>
  static bool normed(Context<Backend>& ctx, const RowNorm<T>& norm, MatrixView<const T> x, MatrixView<const F> w,
                     MatrixView<T> y) {
    return normed_to<F, T>(ctx, norm, x, w, y.rows, stored(static_cast<const T*>(nullptr), y));
  }
  /// The same for rms_norm_gemm_rope_append; also returns false if the two numbers of a pair are not adjacent.
  template <class F, class T>
  static bool normed_turned(Context<Backend>& ctx, const RowNorm<T>& norm, MatrixView<const T> x, MatrixView<const F> w,
                            MatrixView<T> y, const RopeOptions& o, Index queries, HeadsView<T> keys, HeadsView<T> values,
                            Index sequences) {
    if (o.pairs != RopePairs::kAdjacent) return false;
    gpu::Scratch<Backend> scratch(ctx);
    const gpu::Span<const Place> places{o.places ? ctx.readable(scratch, o.places, o.batch) : nullptr, o.batch};
    const Index size = sequences * keys.batch_stride, capacity = keys.batch_stride / keys.token_stride;
    const gpu::IntoCaches<T> caches{{keys.data, size}, {values.data, size}, capacity, static_cast<int>(queries)};
    return normed_to<F, T>(ctx, norm, x, w, y.rows,
                           gpu::TurnedIntoCaches<T>{gpu::span(y), y.stride, {o.base, keys.head_size}, places, o.position,
                                                    o.tokens, caches, static_cast<int>(keys.heads * keys.head_size)});
  }
  template <class F, class T>
  static bool gated(Context<Backend>& ctx, MatrixView<const T> gate, MatrixView<const T> up, MatrixView<const F> w,
                    const T* addend, MatrixView<T> y) {
    if constexpr (std::is_same_v<F, T>)
      if (gpu::in_packets(gate, w) && gpu::in_packets(up) && gate.stride == up.stride)
        return of_few_rows(ctx, gpu::Gated<T>{gpu::span(gate), gpu::span(up), gate.stride}, w, y.rows, stored(addend, y));
    return false;
  }

 private:
  static constexpr Index few_rows = 8;  ///< up to so many leave most of a library's tile empty

  template <class T>
  static gpu::Stored<T> stored(const T* addend, MatrixView<T> c) {
    return {{addend, gpu::span(c).size}, gpu::span(c), c.stride};
  }
  template <class F, class T, class To>
  static bool normed_to(Context<Backend>& ctx, const RowNorm<T>& norm, MatrixView<const T> x, MatrixView<const F> w, Index rows,
                        const To& to) {
    if constexpr (std::is_same_v<F, T>)
      if (gpu::in_packets(x, w) && gpu::in_packets(norm.gain.data(), x.cols, x.cols))
        return of_few_rows(ctx, gpu::Normed<T>{{gpu::span(x), x.stride}, {norm.gain.data(), x.cols}, compute_t<T>(norm.eps)}, w,
                           rows, to);
    return false;
  }
  template <class Left, class F, class To>
  static bool of_few_rows(Context<Backend>& ctx, const Left& a, MatrixView<const F> b, Index rows, const To& to) {
    if constexpr (std::is_same_v<F, double>) {
      return false;
    } else {
      if (rows == 0 || rows > few_rows || b.cols == 0) return false;
      const auto launch = [&]<int M>(gpu::Constant<M>) {
        const gpu::FewRows<F, typename To::value_type, M, Left, To> kernel{
            a, gpu::span(b), to, b.stride, static_cast<int>(rows), static_cast<int>(b.rows), static_cast<int>(b.cols)};
        ctx.launch(kernel, kernel.blocks());
      };
      rows == 1 ? launch(gpu::constant<1>) : rows <= 4 ? launch(gpu::constant<4>) : launch(gpu::constant<8>);
      return true;
    }
  }
  template <class F, class T>
  static void product(Context<Backend>& ctx, MatrixView<const F> a, MatrixView<const F> b, MatrixView<T> c,
                      const T* addend, const GemmOptions& options) {
    const bool rows_of_both = !options.transpose_a && options.transpose_b;
    if (rows_of_both && gpu::in_packets(a, b) &&
        of_few_rows(ctx, gpu::AsTheyAre<F>{gpu::span(a), a.stride}, b, c.rows, stored(addend, c)))
      return;
    ctx.product(a, b, c, addend, options);
  }
};

}  // namespace impl
}  // namespace stlm::ops
