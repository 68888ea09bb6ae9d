// Tests of descriptors, which need no device. lt_products.test.cu tests what cuBLASLt computes from them.
#include <stlm/backend/cuda/lt_descriptors.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

template <class T>
T of(const gpu::LtDescriptor& operation, cublasLtMatmulDescAttributes_t which) {
  T value{};
  gpu::check(cublasLtMatmulDescGetAttribute(operation.get(), which, &value, sizeof value, nullptr), "get");
  return value;
}

struct Layout {
  cudaDataType_t scalar;
  std::uint64_t rows, cols;  // as cuBLASLt counts them: column-major
  std::int64_t stride;
  bool operator==(const Layout&) const = default;

  static Layout of(const gpu::LtLayout& layout) {
    Layout found{};
    const auto get = [&](cublasLtMatrixLayoutAttribute_t which, auto& value) {
      gpu::check(cublasLtMatrixLayoutGetAttribute(layout.get(), which, &value, sizeof value, nullptr), "get");
    };
    std::uint32_t scalar = 0;
    std::int32_t order = 0;
    get(CUBLASLT_MATRIX_LAYOUT_TYPE, scalar);
    get(CUBLASLT_MATRIX_LAYOUT_ORDER, order);
    get(CUBLASLT_MATRIX_LAYOUT_ROWS, found.rows);
    get(CUBLASLT_MATRIX_LAYOUT_COLS, found.cols);
    get(CUBLASLT_MATRIX_LAYOUT_LD, found.stride);
    CHECK(order == CUBLASLT_ORDER_COL);
    found.scalar = static_cast<cudaDataType_t>(scalar);
    return found;
  }
};

gpu::LtShape shape(bool transpose_a, bool transpose_b) {
  gpu::LtShape shape;
  shape.m = 8, shape.n = 16, shape.k = 24;
  shape.transpose_a = transpose_a, shape.transpose_b = transpose_b;
  shape.stride_a = 100, shape.stride_b = 200, shape.stride_c = 300;
  return shape;
}

}  // namespace

TEST_CASE("lt_descriptors: row-major factors are cuBLASLt's transposed ones, in the other order", "[backend][cuda]") {
  for (const bool transpose_a : {false, true})
    for (const bool transpose_b : {false, true}) {
      CAPTURE(transpose_a, transpose_b);
      const gpu::LtShape given = shape(transpose_a, transpose_b);
      const gpu::LtDescriptor operation = lt_operation(given);
      CHECK(of<std::int32_t>(operation, CUBLASLT_MATMUL_DESC_TRANSA) == (transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N));
      CHECK(of<std::int32_t>(operation, CUBLASLT_MATMUL_DESC_TRANSB) == (transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N));
      CHECK(Layout::of(lt_a(given)) == (transpose_a ? Layout{CUDA_R_32F, 8, 24, 100} : Layout{CUDA_R_32F, 24, 8, 100}));
      CHECK(Layout::of(lt_b(given)) == (transpose_b ? Layout{CUDA_R_32F, 24, 16, 200} : Layout{CUDA_R_32F, 16, 24, 200}));
      CHECK(Layout::of(lt_c(given)) == Layout{CUDA_R_32F, 16, 8, 300});
    }
}

TEST_CASE("lt_descriptors: the matrices of a batch, and the numbers from one to the next", "[backend][cuda]") {
  const auto batch = [](const gpu::LtLayout& layout) {
    std::pair<std::int32_t, std::int64_t> found;
    const auto get = [&](cublasLtMatrixLayoutAttribute_t which, auto& value) {
      gpu::check(cublasLtMatrixLayoutGetAttribute(layout.get(), which, &value, sizeof value, nullptr), "get");
    };
    get(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, found.first);
    get(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, found.second);
    return found;
  };
  gpu::LtShape given = shape(false, true);
  CHECK(batch(lt_a(given)) == std::pair<std::int32_t, std::int64_t>(1, 0));
  given.batch = {5, 1000, 4000, 3000};
  CHECK(batch(lt_a(given)) == std::pair<std::int32_t, std::int64_t>(5, 1000));
  CHECK(batch(lt_b(given)) == std::pair<std::int32_t, std::int64_t>(5, 4000));
  CHECK(batch(lt_c(given)) == std::pair<std::int32_t, std::int64_t>(5, 3000));
}

TEST_CASE("lt_descriptors: float is not rounded unless TF32 is asked for, factors may be Bfloat16", "[backend][cuda]") {
  gpu::LtShape given = shape(false, false);
  const auto told = [&](cublasLtMatmulDescAttributes_t which) { return of<std::int32_t>(lt_operation(given), which); };
  const auto compute = [&] { return told(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE); };
  CHECK(compute() == CUBLAS_COMPUTE_32F);
  given.factors = gpu::LtFactors::kTf32;
  CHECK(compute() == CUBLAS_COMPUTE_32F_FAST_TF32);
  given.factors = gpu::LtFactors::kBfloat16;
  CHECK(compute() == CUBLAS_COMPUTE_32F);
  CHECK(Layout::of(lt_a(given)).scalar == CUDA_R_16BF);
  CHECK(Layout::of(lt_b(given)).scalar == CUDA_R_16BF);
  CHECK(Layout::of(lt_c(given)).scalar == CUDA_R_32F);
  CHECK(told(CUBLASLT_MATMUL_DESC_SCALE_TYPE) == CUDA_R_32F);
  given.rounds = true;
  CHECK(Layout::of(lt_c(given)) == Layout{CUDA_R_16BF, 16, 8, 300});
  CHECK(compute() == CUBLAS_COMPUTE_32F);
  CHECK(told(CUBLASLT_MATMUL_DESC_SCALE_TYPE) == CUDA_R_32F);
}
