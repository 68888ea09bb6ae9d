// What the ops of kernels.hpp move: run by the emulated GPU, which counts every load and store.
#include <stlm/backend/cuda_emulated.hpp>

#include "kernels.hpp"

namespace gpu_bench {

std::vector<Moved> counted(Index rows) {
  stlm::Context<stlm::EmulatedCudaBackend> ctx({.threads = 2});
  const auto bytes = [&] {
    double sum = 0;
    for (const auto& [kernel, count] : ctx.counts()) sum += static_cast<double>(count.bytes_read + count.bytes_written);
    return sum;
  };
  std::vector<Moved> found;
  each_op(ctx, rows, [&](const std::string& op, const auto& call) {
    const double before = bytes();
    stlm::gpu::LaunchTrace trace;
    ctx.record(&trace);  // as on the GPU, where no sum is read back
    call();
    ctx.record(nullptr);
    found.push_back({op, bytes() - before});
  });
  return found;
}

}  // namespace gpu_bench
