// Descriptors of a product for cuBLASLt: the operation, its matrices, and which algorithms are allowed.
//
// cuBLASLt is column-major. It sees a row-major matrix X with rows of `stride` elements as the matrix X^T with columns of that
// stride. So C = op(A) op(B) is requested as C^T = op(B)^T op(A)^T: the factors swap places, m and n too, and each
// transposition flag stays with its matrix. (CUBLASLT_ORDER_ROW would say the same in three more attributes.)
#pragma once

#include <cstdint>
#include <utility>

#include <stlm/backend/cuda/handles.hpp>
#include <stlm/backend/cuda/lt_shape.hpp>

namespace stlm::gpu {

using LtDescriptor = Owner<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using LtLayout = Owner<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using LtPreference = Owner<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

class LtHandle : public Owner<cublasLtHandle_t, cublasLtDestroy> {
 public:
  LtHandle() : Owner(make()) {}

 private:
  static cublasLtHandle_t make() {
    cublasLtHandle_t handle = nullptr;
    check(cublasLtCreate(&handle), "cublasLtCreate");
    return handle;
  }
};

inline LtDescriptor lt_operation(const LtShape& shape) {
  cublasLtMatmulDesc_t made = nullptr;
  const cublasComputeType_t compute =
      shape.factors == LtFactors::kTf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  check(cublasLtMatmulDescCreate(&made, compute, CUDA_R_32F), "cublasLtMatmulDescCreate");
  LtDescriptor operation(made);
  const auto set = [&](cublasLtMatmulDescAttributes_t which, bool transposed) {
    const cublasOperation_t value = transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    check(cublasLtMatmulDescSetAttribute(made, which, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  };
  set(CUBLASLT_MATMUL_DESC_TRANSA, shape.transpose_b);  // its first factor is our second
  set(CUBLASLT_MATMUL_DESC_TRANSB, shape.transpose_a);
  return operation;
}

/// The layout of a row-major matrix, or of `count` matrices with `step` numbers from one to the next.
inline LtLayout lt_layout(cudaDataType_t scalar, Index rows, Index cols, Index stride, Index count, Index step) {
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, scalar, static_cast<std::uint64_t>(cols), static_cast<std::uint64_t>(rows),
                                   stride),
        "cublasLtMatrixLayoutCreate");
  LtLayout layout(made);
  const auto set = [&](cublasLtMatrixLayoutAttribute_t which, const auto& value) {
    check(cublasLtMatrixLayoutSetAttribute(made, which, &value, sizeof value), "cublasLtMatrixLayoutSetAttribute");
  };
  if (count != 1) {
    set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(count));
    set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, static_cast<std::int64_t>(step));
  }
  return layout;
}

inline LtLayout lt_factor(const LtShape& shape, bool transposed, Index rows, Index cols, Index stride, Index step) {
  if (transposed) std::swap(rows, cols);
  const cudaDataType_t scalar = shape.factors == LtFactors::kBfloat16 ? CUDA_R_16BF : CUDA_R_32F;
  return lt_layout(scalar, rows, cols, stride, shape.batch.count, step);
}
inline LtLayout lt_a(const LtShape& shape) {
  return lt_factor(shape, shape.transpose_a, shape.m, shape.k, shape.stride_a, shape.batch.step_a);
}
inline LtLayout lt_b(const LtShape& shape) {
  return lt_factor(shape, shape.transpose_b, shape.k, shape.n, shape.stride_b, shape.batch.step_b);
}
inline LtLayout lt_c(const LtShape& shape) {
  return lt_layout(shape.rounds ? CUDA_R_16BF : CUDA_R_32F, shape.m, shape.n, shape.stride_c, shape.batch.count,
                   shape.batch.step_c);
}

inline LtPreference lt_preference(const LtShape& shape, std::size_t workspace_bytes, bool ordered) {
  cublasLtMatmulPreference_t made = nullptr;
  check(cublasLtMatmulPreferenceCreate(&made), "cublasLtMatmulPreferenceCreate");
  LtPreference preference(made);
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t which, const auto& value) {
    check(cublasLtMatmulPreferenceSetAttribute(made, which, &value, sizeof value),
          "cublasLtMatmulPreferenceSetAttribute");
  };
  set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{workspace_bytes});
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<std::uint32_t>(shape.align_b));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<std::uint32_t>(shape.align_a));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, static_cast<std::uint32_t>(shape.align_c));
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, static_cast<std::uint32_t>(shape.align_c));
  if (shape.rounds)  // a separate pass adds the partial sums of a split k before they are rounded
    set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, std::uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  else if (ordered)  // no partial sums are added in place
    set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        std::uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE});
  return preference;
}

}  // namespace stlm::gpu
