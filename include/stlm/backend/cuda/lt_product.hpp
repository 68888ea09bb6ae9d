// LtProduct: one product in cuBLASLt's terms, made once for a shape. The factors swap places (lt_descriptors.hpp).
#pragma once

#include <bit>
#include <vector>

#include <stlm/backend/cuda/lt_algorithms.hpp>
#include <stlm/backend/cuda/lt_descriptors.hpp>

namespace stlm::gpu {

/// Memory that a product may use while it runs. It belongs to one stream: two products that run at once need two.
struct LtWorkspace {
  void* data = nullptr;
  std::size_t bytes = 0;
};

/// The matrices of a run: C = op(A) op(B), plus `addend` if the product accumulates. It has C's layout and may be C.
struct LtOperands {
  const void *a, *b, *addend;
  void* c;
};

class LtProduct {
 public:
  static constexpr int most_candidates = 24;

  /// Needs no device.
  explicit LtProduct(const LtShape& shape)
      : shape_(shape),
        operation_(lt_operation(shape)),
        a_(lt_a(shape)),
        b_(lt_b(shape)),
        c_(lt_c(shape)) {}

  /// At most `most` suggestions of cuBLASLt, the best by its own estimate first. With `ordered` they sum in an order that is
  /// the same in every run. Throws CudaError if there is none.
  std::vector<LtAlgorithm> candidates(const LtHandle& handle, std::size_t workspace_bytes, bool ordered,
                                      int most) const {
    const LtPreference preference = lt_preference(shape_, workspace_bytes, ordered);
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

  /// Throws CudaError if an algorithm from a file does not work for this product on this machine.
  void verify(const LtHandle& handle, const LtAlgorithm& algorithm) const {
    const auto algo = std::bit_cast<cublasLtMatmulAlgo_t>(algorithm.words);
    cublasLtMatmulHeuristicResult_t result{};
    const cublasStatus_t status =
        cublasLtMatmulAlgoCheck(handle.get(), operation_.get(), b_.get(), a_.get(), c_.get(), c_.get(), &algo, &result);
    if (status != CUBLAS_STATUS_SUCCESS)
      check(status, "cublasLtMatmulAlgoCheck of a stored algorithm for " + shape_.str());
  }

  cublasStatus_t run(const LtHandle& handle, const LtAlgorithm& algorithm, const LtOperands& of, LtWorkspace workspace,
                     const Stream& stream) const {
    const float one = 1, old = shape_.accumulate ? 1.0F : 0.0F;
    const auto algo = std::bit_cast<cublasLtMatmulAlgo_t>(algorithm.words);
    return cublasLtMatmul(handle.get(), operation_.get(), &one, of.b, b_.get(), of.a, a_.get(), &old, of.addend, c_.get(),
                          of.c, c_.get(), &algo, workspace.data, workspace.bytes, stream.get());
  }

  const LtShape& shape() const { return shape_; }

 private:
  using Words = std::array<std::uint64_t, 8>;

  LtShape shape_;
  LtDescriptor operation_;
  LtLayout a_, b_, c_;
};

}  // namespace stlm::gpu
