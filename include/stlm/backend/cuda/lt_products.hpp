// LtProducts: matrix products by cuBLASLt. Each shape is planned at its first use, and the plan is kept.
//
// By default a product uses the algorithm that cuBLASLt ranks first among those that sum in a fixed order: the same version on
// the same device gives the same bits. With `tune` several algorithms are timed and the fastest is kept. The fastest may change
// from run to run, so tune once, `save`, and from then on `load` without tuning.
#pragma once

#include <stlm/backend/cuda/device_space.hpp>
#include <stlm/backend/cuda/lt_tuner.hpp>
#include <stlm/core/buffer.hpp>

namespace stlm::gpu {

struct LtOptions {
  bool deterministic = true;  ///< only algorithms that sum in a fixed order
  bool tf32 = false;          ///< round float factors to TF32
  bool tune = false;          ///< time candidates for shapes that no loaded file has
};

/// Serves one stream at a time: all products share one workspace.
class LtProducts {
 public:
  static constexpr Index workspace_bytes = Index{32} << 20;  ///< NVIDIA's recommendation for Hopper

  explicit LtProducts(LtOptions options = {}) : options_(options), workspace_(workspace_bytes) {
    int device = 0;
    cudaDeviceProp properties{};
    check(cudaGetDevice(&device), "cudaGetDevice");
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    machine_ = "cuBLASLt " + std::to_string(cublasLtGetVersion()) + ", " + properties.name + ", " +
               (options.deterministic ? "ordered" : "any order") + ", ";
  }

  /// C = op(A) op(B), or addend + op(A) op(B) if `options.accumulate`; otherwise addend is null. ops::gemm has checked the
  /// shapes.
  template <class F, class T>
  void run(const Stream& stream, MatrixView<const F> a, MatrixView<const F> b, MatrixView<T> c, const T* addend,
           const ops::GemmOptions& options, const LtBatch& batch = {}) {
    const LtShape shape = LtShape::of(a, b, c, options, options_.tf32, batch, addend);
    if (shape.m == 0 || shape.n == 0 || batch.count == 0) return;
    if (batch.count != 1 && shape.k == 0)
      fail<ShapeError>("stlm::gpu::LtProducts: a batch of products of nothing, ", shape.str(), ".");
    if (shape.k == 0) return sum_of_nothing(stream, c, addend);
    auto found = plans_.find(shape);
    const LtOperands of{a.data, b.data, addend ? addend : c.data, c.data};
    if (found == plans_.end()) found = plans_.emplace(shape, plan(shape, of, stream)).first;
    const auto& [product, algorithm] = found->second;
    const cublasStatus_t status = product.run(handle_, algorithm, of, workspace(), stream);
    if (status != CUBLAS_STATUS_SUCCESS) check(status, "cublasLtMatmul of " + shape.str());
    check(detail::wait_if_asked(stream.get()), "cublasLtMatmul");
  }

  /// `save` writes the algorithms tuned in this run and those of the files loaded; `load` adds the algorithms of a file.
  void save(const std::string& path) const { tuned_.save(path); }
  void load(const std::string& path) { tuned_.load(path); }
  /// The most device memory that tuning allocated temporarily.
  std::size_t most_tuning_bytes() const { return tuner_.most_bytes(); }

 private:
  struct Plan {
    LtProduct product;
    LtAlgorithm algorithm;
  };

  LtWorkspace workspace() const { return {workspace_.data(), workspace_.bytes()}; }

  template <class T>
  static void sum_of_nothing(const Stream& stream, MatrixView<T> c, const T* addend) {
    if (addend == c.data) return;
    const auto stride = static_cast<std::size_t>(c.stride) * sizeof(T), width = static_cast<std::size_t>(c.cols) * sizeof(T);
    const auto rows = static_cast<std::size_t>(c.rows);
    check(addend ? cudaMemcpy2DAsync(c.data, stride, addend, stride, width, rows, cudaMemcpyDefault, stream.get())
                 : cudaMemset2DAsync(c.data, stride, 0, width, rows, stream.get()),
          "a product of nothing");
    check(detail::wait_if_asked(stream.get()), "a product of nothing");
  }

  Plan plan(const LtShape& shape, const LtOperands& of, const Stream& stream) {
    Plan made{LtProduct(shape), {}};
    const std::string key = machine_ + shape.str();
    if (const LtAlgorithm* const known = tuned_.find(key)) {
      made.algorithm = *known;
      expect<Error>(made.algorithm.workspace_bytes <= workspace_.bytes(),
                    "stlm::gpu::LtProducts: the algorithm stored for ", key, " needs ", made.algorithm.workspace_bytes,
                    " bytes of workspace, there are ", workspace_.bytes(), "; remove its line and tune again.");
      made.product.verify(handle_, made.algorithm);
      return made;
    }
    const auto found = made.product.candidates(handle_, workspace_.bytes(), options_.deterministic,
                                               options_.tune ? LtProduct::most_candidates : 1);
    made.algorithm = found.front();
    if (!options_.tune) return made;
    expect<Error>(!stream.capturing(), "stlm::gpu::LtProducts: a captured step asks for a product that was not tuned, ",
                  shape.str(), "; run the step once before it is captured.");
    made.algorithm = tuner_.fastest(handle_, made.product, found, of, workspace(), stream);
    tuned_.insert(key, made.algorithm);
    return made;
  }

  LtOptions options_;
  LtHandle handle_;
  Buffer<std::byte, DeviceSpace> workspace_;
  std::string machine_;
  LtAlgorithms tuned_;
  LtTuner tuner_;
  std::map<LtShape, Plan> plans_;
};

}  // namespace stlm::gpu
