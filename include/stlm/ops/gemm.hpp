// gemm: matrix product, C = op(A) op(B) or C += op(A) op(B), row-major.
//
// The three products of a linear layer y = x W^T, with W (out, in) as PyTorch stores it:
//   gemm(ctx, x, w, y, {.transpose_b = true});                              // (N, in) (out, in)^T -> (N, out)
//   gemm(ctx, dy, w, dx);                                                   // (N, out) (out, in) -> (N, in)
//   gemm(ctx, dy, x, dw, {.transpose_a = true, .accumulate = true});        // (N, out)^T (N, in) -> (out, in)
//
// In mixed precision, `gemm<Bfloat16>` or any factor of that type, both factors are rounded to Bfloat16 and multiplied exactly;
// sums and C are float. On a GPU C may be Bfloat16 too: each sum, including the previous C if accumulated, is rounded once.
//
// Many products of small matrices of the same shape take one call with MatrixBatch arguments: one batched product of cuBLASLt
// on a GPU; on a CPU each thread takes whole matrices.
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/quantized.hpp>

namespace stlm::ops {

struct GemmOptions {
  bool transpose_a = false;  ///< read A as stored (k, m) instead of (m, k)
  bool transpose_b = false;  ///< read B as stored (n, k) instead of (k, n)
  bool accumulate = false;   ///< add to C instead of overwriting it
};

/// `count` matrices of the same shape; each begins `step` numbers after the start of the previous one.
template <class T>
struct MatrixBatch {
  using value_type = std::remove_const_t<T>;
  MatrixView<T> first;
  Index count, step;

  constexpr MatrixView<T> operator[](Index i) const {
    return {first.data + i * step, first.rows, first.cols, first.stride};
  }
  template <class U>
    requires(std::is_same_v<U, const T> && !std::is_const_v<T>)
  constexpr operator MatrixBatch<U>() const {
    return {first, count, step};
  }
};
/// How many numbers the matrices of a batch should have in total: enough to fill a GPU, few enough for the caches of a CPU.
template <class Backend>
inline constexpr Index batch_numbers = Index{1} << 16;

/// Whether a backend can add a matrix within a product (`gemm_add`). On a CPU the product would not hide the cost of the sum.
template <class Backend>
inline constexpr bool adds_in_products = false;

namespace impl {
template <class Backend>
struct Gemm : MissingBackend<Backend> {};

/// The scalar to which factors are rounded: S if given, unless it is Int8, which applies to weights only; else Bfloat16 if one
/// factor is Bfloat16; else C, for no rounding.
template <class S, class A, class B, class C>
using product_t = std::conditional_t<!std::is_void_v<S> && !std::is_same_v<S, Int8>, S,
                                     std::conditional_t<std::is_same_v<A, Bfloat16> || std::is_same_v<B, Bfloat16>,
                                                        Bfloat16, C>>;
}  // namespace impl

namespace detail {
template <class A, class B, class T>
void expect_product(const MatrixView<A>& a, const MatrixView<B>& b, const MatrixView<T>& c, const GemmOptions& options) {
  const Index k = options.transpose_a ? a.rows : a.cols;
  expect((options.transpose_a ? a.cols : a.rows) == c.rows && (options.transpose_b ? b.rows : b.cols) == c.cols &&
             (options.transpose_b ? b.cols : b.rows) == k,
         "stlm::ops::gemm: the product of A ", a.rows, "x", a.cols, options.transpose_a ? " (transposed)" : "", " and B ",
         b.rows, "x", b.cols, options.transpose_b ? " (transposed)" : "", " does not fit C ", c.rows, "x", c.cols,
         "; check the widths and the transpose options.");
}
/// gemm of matrices with erased static shapes: one instantiation for all widths.
template <class S, class Backend, class A, class B, class T>
void gemm(Context<Backend>& ctx, MatrixView<const A> a, MatrixView<const B> b, MatrixView<T> c, const T* addend,
          const GemmOptions& options) {
  expect_product(a, b, c, options);
  using Product = impl::product_t<S, A, B, T>;
  if constexpr (adds_in_products<Backend>)
    impl::Gemm<Backend>::template run<Product>(ctx, a, b, c, addend, options);
  else
    impl::Gemm<Backend>::template run<Product>(ctx, a, b, c, options);
}
}  // namespace detail

/// C = op(A) op(B), or C += with `accumulate`. Throws ShapeError if the three shapes do not fit. C must not overlap A or B.
template <class S = void, class Backend, class A, class B, class C>
  requires(!std::is_base_of_v<QuantizedMatrix, B>)  // ops/quantized.hpp
void gemm(Context<Backend>& ctx, const A& a, const B& b, const C& c, GemmOptions options = {}) {
  const MatrixView<typename C::value_type> to(c);
  detail::gemm<S, Backend, typename A::value_type, typename B::value_type>(ctx, a, b, to,
                                                                           options.accumulate ? to.data : nullptr, options);
}

/// C_i = or += op(A_i) op(B_i) for every i. Throws ShapeError if shapes or counts do not fit.
template <class S = void, class Backend, class A, class B, class T>
void gemm(Context<Backend>& ctx, const MatrixBatch<A>& a, const MatrixBatch<B>& b, const MatrixBatch<T>& c,
          GemmOptions options = {}) {
  expect(a.count == c.count && b.count == c.count, "stlm::ops::gemm: expected batches of as many matrices as that of C, ",
         c.count, ", found ", a.count, " of A and ", b.count, " of B; give as many.");
  detail::expect_product(a.first, b.first, c.first, options);
  using F = std::remove_const_t<A>;
  impl::Gemm<Backend>::template run_batch<impl::product_t<S, F, F, T>, F>(ctx, a, b, c, options);
}

/// C = addend + op(A) op(B), for an addend with the memory layout of C.
template <class S = void, class Backend, class A, class B, class T, class Shape>
  requires(adds_in_products<Backend> && !std::is_base_of_v<QuantizedMatrix, B>)
void gemm_add(Context<Backend>& ctx, const A& a, const B& b, std::type_identity_t<TensorView<const T, Shape>> addend,
              const TensorView<T, Shape>& c, GemmOptions options = {}) {
  expect(addend.size() == c.size(), "stlm::ops::gemm_add: expected as many numbers to add as in C, ", c.size(), ", found ",
         addend.size(), "; give as many.");
  options.accumulate = true;
  detail::gemm<S, Backend, typename A::value_type, typename B::value_type, T>(ctx, a, b, c, addend.data(), options);
}

}  // namespace stlm::ops
