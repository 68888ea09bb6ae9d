// LtTuner: times algorithms of cuBLASLt for a product, and finds the fastest.
#pragma once

#include <algorithm>
#include <limits>

#include <stlm/backend/cuda/device_space.hpp>
#include <stlm/backend/cuda/lt_product.hpp>
#include <stlm/core/buffer.hpp>

namespace stlm::gpu {

class LtTuner {
 public:
  static constexpr int timings = 3;  ///< of each candidate
  /// A timing takes about `least_time` milliseconds, in at most `most_runs` runs: events are too coarse for one run of a small
  /// product.
  static constexpr float least_time = 0.1f, most_runs = 20;

  /// The candidate with the shortest timing. Each has one run without timing, then `timings` timings. The runs overwrite C, or
  /// a stand-in where C is its own addend.
  LtAlgorithm fastest(const LtHandle& handle, const LtProduct& product, const std::vector<LtAlgorithm>& candidates,
                      LtOperands of, LtWorkspace workspace, const Stream& stream) {
    Buffer<std::byte, DeviceSpace> stand_in;
    if (product.shape().accumulate && of.addend == of.c) {
      stand_in = Buffer<std::byte, DeviceSpace>(product.shape().bytes_of_c());
      most_bytes_ = std::max(most_bytes_, stand_in.bytes());
      of.addend = of.c = stand_in.data();
    }
    const Event begin(Event::Timing::kOn), end(Event::Timing::kOn);
    const auto run = [&](const LtAlgorithm& algorithm) { return product.run(handle, algorithm, of, workspace, stream); };
    const auto time_of = [&](const LtAlgorithm& algorithm, int runs) {  // of one run
      stream.record(begin);
      for (int i = 0; i < runs; ++i) check(run(algorithm), "cublasLtMatmul while tuning");
      stream.record(end);
      end.synchronize();
      return end.milliseconds_since(begin) / static_cast<float>(runs);
    };
    LtAlgorithm best = candidates.front();
    float best_time = std::numeric_limits<float>::infinity();
    for (const LtAlgorithm& algorithm : candidates) {
      if (run(algorithm) != CUBLAS_STATUS_SUCCESS) continue;
      const int runs = static_cast<int>(std::clamp(least_time / time_of(algorithm, 1), 1.f, most_runs));
      for (int i = 0; i < timings; ++i)
        if (const float time = time_of(algorithm, runs); time < best_time) best_time = time, best = algorithm;
    }
    return best;
  }

  /// The most device memory that a call allocated, and freed at its end.
  std::size_t most_bytes() const { return most_bytes_; }

 private:
  std::size_t most_bytes_ = 0;
};

}  // namespace stlm::gpu
