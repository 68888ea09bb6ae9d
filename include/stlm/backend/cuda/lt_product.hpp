// LtProduct: the descriptors by which cuBLASLt knows one product, made once for a shape.
//
// cuBLASLt counts columns first. A row-major matrix X with rows of `stride` elements is to it the matrix X^T with
// columns of that stride, so C = op(A) op(B) is asked for as C^T = op(B)^T op(A)^T: the factors change places, m and n
// too, and each transposition stays what it was. (CUBLASLT_ORDER_ROW would say the same in three more attributes.)
#pragma once

#include <bit>
#include <vector>

#include <stlm/backend/cuda/handles.hpp>
#include <stlm/backend/cuda/lt_algorithms.hpp>
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

/// Memory that a product may use while it runs. One stream's: two products at once need two.
struct LtWorkspace {
  void* data = nullptr;
  std::size_t bytes = 0;
};

class LtProduct {
 public:
  static constexpr int most_candidates = 8;

  /// Needs no device.
  explicit LtProduct(const LtShape& shape)
      : shape_(shape),
        operation_(make_operation(shape)),
        a_(make_layout(scalar(), shape.transpose_a ? shape.k : shape.m, shape.transpose_a ? shape.m : shape.k,
                       shape.stride_a, shape.batch.step_a)),
        b_(make_layout(scalar(), shape.transpose_b ? shape.n : shape.k, shape.transpose_b ? shape.k : shape.n,
                       shape.stride_b, shape.batch.step_b)),
        c_(make_layout(shape.rounds ? CUDA_R_16BF : CUDA_R_32F, shape.m, shape.n, shape.stride_c, shape.batch.step_c)) {}

  /// cuBLASLt's suggestions, the best by its own estimate first, `most` of them or fewer. With `ordered` their sums are
  /// taken in an order that is the same in every run. Throws CudaError when there is none.
  std::vector<LtAlgorithm> candidates(const LtHandle& handle, std::size_t workspace_bytes, bool ordered,
                                      int most) const {
    const LtPreference preference = make_preference(workspace_bytes, ordered);
    cublasLtMatmulHeuristicResult_t results[most_candidates];  // no std::vector: nvcc 13.0 breaks on it
    int count = 0;
    cublasStatus_t status =
        cublasLtMatmulAlgoGetHeuristic(handle.get(), operation_.get(), b_.get(), a_.get(), c_.get(), c_.get(),
                                       preference.get(), std::min(most, most_candidates), results, &count);
    std::vector<LtAlgorithm> found;
    for (int i = 0; status == CUBLAS_STATUS_SUCCESS && i < count; ++i)
      if (results[i].state == CUBLAS_STATUS_SUCCESS)
        found.push_back({results[i].workspaceSize, std::bit_cast<Words>(results[i].algo)});
    if (status == CUBLAS_STATUS_SUCCESS && found.empty()) status = CUBLAS_STATUS_NOT_SUPPORTED;
    if (status != CUBLAS_STATUS_SUCCESS)
      check(status, "cublasLtMatmulAlgoGetHeuristic for the product " + shape_.str());
    return found;
  }

  /// Throws CudaError when an algorithm from a file is none for this product, here.
  void verify(const LtHandle& handle, const LtAlgorithm& algorithm) const {
    const auto algo = std::bit_cast<cublasLtMatmulAlgo_t>(algorithm.words);
    cublasLtMatmulHeuristicResult_t result{};
    const cublasStatus_t status =
        cublasLtMatmulAlgoCheck(handle.get(), operation_.get(), b_.get(), a_.get(), c_.get(), c_.get(), &algo, &result);
    if (status != CUBLAS_STATUS_SUCCESS)
      check(status, "cublasLtMatmulAlgoCheck of a stored algorithm for " + shape_.str());
  }

  cublasStatus_t run(const LtHandle& handle, const LtAlgorithm& algorithm, const void* a, const void* b, const void* addend,
                     void* c, LtWorkspace workspace, const Stream& stream) const {
    const float one = 1, old = shape_.accumulate ? 1.0F : 0.0F;
    const auto algo = std::bit_cast<cublasLtMatmulAlgo_t>(algorithm.words);
    return cublasLtMatmul(handle.get(), operation_.get(), &one, b, b_.get(), a, a_.get(), &old, addend, c_.get(),
                          c, c_.get(), &algo, workspace.data, workspace.bytes, stream.get());
  }

  const LtShape& shape() const { return shape_; }
  const LtDescriptor& operation() const { return operation_; }
  const LtLayout& a() const { return a_; }
  const LtLayout& b() const { return b_; }
  const LtLayout& c() const { return c_; }

 private:
  using Words = std::array<std::uint64_t, 8>;

  cudaDataType_t scalar() const { return shape_.factors == LtFactors::kBfloat16 ? CUDA_R_16BF : CUDA_R_32F; }

  static LtDescriptor make_operation(const LtShape& shape) {
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

  /// Of a row-major matrix, or of a batch of them.
  LtLayout make_layout(cudaDataType_t scalar, Index rows, Index cols, Index stride, Index step) const {
    cublasLtMatrixLayout_t made = nullptr;
    check(cublasLtMatrixLayoutCreate(&made, scalar, static_cast<std::uint64_t>(cols), static_cast<std::uint64_t>(rows),
                                     stride),
          "cublasLtMatrixLayoutCreate");
    LtLayout layout(made);
    const auto set = [&](cublasLtMatrixLayoutAttribute_t which, const auto& value) {
      check(cublasLtMatrixLayoutSetAttribute(made, which, &value, sizeof value), "cublasLtMatrixLayoutSetAttribute");
    };
    if (shape_.batch.count != 1) {
      set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(shape_.batch.count));
      set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, static_cast<std::int64_t>(step));
    }
    return layout;
  }

  LtPreference make_preference(std::size_t workspace_bytes, bool ordered) const {
    cublasLtMatmulPreference_t made = nullptr;
    check(cublasLtMatmulPreferenceCreate(&made), "cublasLtMatmulPreferenceCreate");
    LtPreference preference(made);
    const auto set = [&](cublasLtMatmulPreferenceAttributes_t which, const auto& value) {
      check(cublasLtMatmulPreferenceSetAttribute(made, which, &value, sizeof value),
            "cublasLtMatmulPreferenceSetAttribute");
    };
    set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{workspace_bytes});
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<std::uint32_t>(shape_.align_b));
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<std::uint32_t>(shape_.align_a));
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, static_cast<std::uint32_t>(shape_.align_c));
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, static_cast<std::uint32_t>(shape_.align_c));
    if (shape_.rounds)  // partial sums of a split k are added by a pass of their own, before any is rounded
      set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, std::uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
    else if (ordered)  // not where they meet
      set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
          std::uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE});
    return preference;
  }

  LtShape shape_;
  LtDescriptor operation_;
  LtLayout a_, b_, c_;
};

}  // namespace stlm::gpu
