// LtShape: everything that the choice of a product's algorithm depends on; the key under which products are kept.
#pragma once

#include <algorithm>
#include <string>

#include <stlm/core/bfloat16.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm::gpu {

/// The type of the factors and how they are multiplied. Sums are float.
enum class LtFactors {
  kFloat,
  kTf32,     ///< floats rounded to 10 bits of mantissa, in tensor cores
  kBfloat16  ///< exact products, in tensor cores
};

/// How many products of one shape run as one, and how many numbers lie from the start of a matrix to the next.
struct LtBatch {
  Index count = 1, step_a = 0, step_b = 0, step_c = 0;
  friend auto operator<=>(const LtBatch&, const LtBatch&) = default;
};

/// C (m, n) = op(A) op(B), summed over k, with the arguments of ops::gemm.
struct LtShape {
  LtFactors factors = LtFactors::kFloat;
  Index m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false, accumulate = false;
  bool rounds = false;  ///< C is Bfloat16, else float
  Index stride_a = 0, stride_b = 0, stride_c = 0;
  /// Alignment of the first element in bytes, at most 16, which the widest access of a kernel needs. Larger values would give
  /// the same layer of two models different algorithms, and so different bits.
  int align_a = 16, align_b = 16, align_c = 16;
  LtBatch batch = {};

  friend auto operator<=>(const LtShape&, const LtShape&) = default;

  template <class F, class T>
  static LtShape of(MatrixView<const F> a, MatrixView<const F> b, MatrixView<T> c, const ops::GemmOptions& options,
                    bool tf32, const LtBatch& batch = {}, const T* addend = nullptr) {
    static_assert(std::is_same_v<F, Bfloat16> || (std::is_same_v<F, float> && std::is_same_v<T, float>),
                  "stlm::gpu::LtShape: cuBLASLt multiplies two matrices of float, or two of stlm::Bfloat16 whose "
                  "product may be that too; convert the factors first.");
    LtShape shape;
    shape.rounds = std::is_same_v<T, Bfloat16>;
    shape.factors = std::is_same_v<F, Bfloat16> ? LtFactors::kBfloat16 : tf32 ? LtFactors::kTf32 : LtFactors::kFloat;
    shape.m = c.rows, shape.n = c.cols, shape.k = options.transpose_a ? a.rows : a.cols;
    shape.transpose_a = options.transpose_a, shape.transpose_b = options.transpose_b;
    shape.accumulate = options.accumulate;
    shape.stride_a = a.stride, shape.stride_b = b.stride, shape.stride_c = c.stride;
    shape.align_a = alignment(a.data, batch.step_a), shape.align_b = alignment(b.data, batch.step_b);
    shape.align_c = std::min(alignment(c.data, batch.step_c), alignment(addend, batch.step_c));
    shape.batch = batch;
    return shape;
  }

  /// Bytes from C's first number to the end of its last row, over a whole batch.
  Index bytes_of_c() const {
    return ((batch.count - 1) * batch.step_c + m * stride_c) * static_cast<Index>(rounds ? sizeof(Bfloat16) : sizeof(float));
  }

  /// "bfloat16 8192x1536x384 nt strides 384 384 1536 align 16 16 16 +=": for people, and as the key in files.
  std::string str() const {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    constexpr const char* names[] = {"float", "tf32", "bfloat16"};
    out << names[static_cast<int>(factors)] << " " << m << "x" << n << "x" << k << " " << (transpose_a ? "t" : "n")
        << (transpose_b ? "t" : "n") << " strides " << stride_a << " " << stride_b << " " << stride_c << " align "
        << align_a << " " << align_b << " " << align_c << (accumulate ? " +=" : " =") << (rounds ? " rounded" : "");
    if (batch.count != 1)
      out << " batch of " << batch.count << " steps " << batch.step_a << " " << batch.step_b << " " << batch.step_c;
    return out.str();
  }

 private:
  /// Alignment that all matrices of a batch have.
  template <class T>
  static int alignment(const T* first, Index step) {
    const auto address = reinterpret_cast<std::uintptr_t>(first) | static_cast<std::uintptr_t>(step) * sizeof(T);
    return static_cast<int>(std::min<std::uintptr_t>(address & (~address + 1), 16) + (address == 0 ? 16 : 0));
  }
};

}  // namespace stlm::gpu
