// LtProducts: matrix products by cuBLASLt. Each shape is planned at its first use, and the plan is kept.
//
// By default a product uses the algorithm that cuBLASLt ranks first among those that sum in a fixed order: the same version on
// the same device gives the same bits. With `tune` several algorithms are timed and the fastest is kept. The fastest may change
// from run to run, so tune once, `save`, and from then on `load` without tuning.
#pragma once

#include <algorithm>
#include <limits>

#include <stlm/backend/cuda/device_space.hpp>
#include <stlm/backend/cuda/lt_product.hpp>
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
  static constexpr int timings = 3;                          ///< of each candidate
  /// A timing takes about `least_time` milliseconds, in at most `most_runs` runs: events are too coarse for one run of a small
  /// product.
  static constexpr float least_time = 0.1f, most_runs = 20;

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
    const Operands of{a.data, b.data, addend ? addend : c.data, c.data};
    if (found == plans_.end()) found = plans_.emplace(shape, plan(shape, of, stream)).first;
    const cublasStatus_t status = run(found->second.product, found->second.algorithm, of, stream);
    if (status != CUBLAS_STATUS_SUCCESS) check(status, "cublasLtMatmul of " + shape.str());
    check(detail::wait_if_asked(stream.get()), "cublasLtMatmul");
  }

  /// `save` writes the algorithms tuned in this run and those of the files loaded; `load` adds the algorithms of a file.
  void save(const std::string& path) const { tuned_.save(path); }
  void load(const std::string& path) { tuned_.load(path); }
  /// The most device memory that tuning allocated temporarily.
  std::size_t most_tuning_bytes() const { return most_tuning_bytes_; }

 private:
  struct Plan {
    LtProduct product;
    LtAlgorithm algorithm;
  };
  struct Operands {
    const void *a, *b, *addend;
    void* c;
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

  cublasStatus_t run(const LtProduct& product, const LtAlgorithm& algorithm, const Operands& of, const Stream& stream) const {
    return product.run(handle_, algorithm, of.a, of.b, of.addend, of.c, workspace(), stream);
  }

  Plan plan(const LtShape& shape, const Operands& of, const Stream& stream) {
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
    made.algorithm = fastest(made.product, found, of, stream);
    tuned_.insert(key, made.algorithm);
    return made;
  }

  /// The candidate with the shortest timing. Each has one run without timing, then `timings` timings. The runs overwrite C, or
  /// a stand-in where C is its own addend.
  LtAlgorithm fastest(const LtProduct& product, const std::vector<LtAlgorithm>& found, Operands of, const Stream& stream) {
    Buffer<std::byte, DeviceSpace> stand_in;
    if (product.shape().accumulate && of.addend == of.c) {
      stand_in = Buffer<std::byte, DeviceSpace>(product.shape().bytes_of_c());
      most_tuning_bytes_ = std::max(most_tuning_bytes_, stand_in.bytes());
      of.addend = of.c = stand_in.data();
    }
    const Event begin(Event::Timing::kOn), end(Event::Timing::kOn);
    LtAlgorithm best = found.front();
    float best_time = std::numeric_limits<float>::infinity();
    const auto time_of = [&](const LtAlgorithm& algorithm, int runs) {  // of one run
      stream.record(begin);
      for (int i = 0; i < runs; ++i)
        check(run(product, algorithm, of, stream), "cublasLtMatmul while tuning");
      stream.record(end);
      end.synchronize();
      return end.milliseconds_since(begin) / static_cast<float>(runs);
    };
    for (const LtAlgorithm& algorithm : found) {
      if (run(product, algorithm, of, stream) != CUBLAS_STATUS_SUCCESS) continue;
      const int runs = static_cast<int>(std::clamp(least_time / time_of(algorithm, 1), 1.f, most_runs));
      for (int i = 0; i < timings; ++i)
        if (const float time = time_of(algorithm, runs); time < best_time) best_time = time, best = algorithm;
    }
    return best;
  }

  LtOptions options_;
  LtHandle handle_;
  Buffer<std::byte, DeviceSpace> workspace_;
  std::string machine_;
  LtAlgorithms tuned_;
  std::size_t most_tuning_bytes_ = 0;
  std::map<LtShape, Plan> plans_;
};

}  // namespace stlm::gpu
