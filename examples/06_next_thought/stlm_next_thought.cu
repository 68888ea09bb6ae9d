// stlm_next_thought's `train` and `generate` on a GPU.
#include <stlm/backend/cuda.hpp>

#include "run.hpp"

int run_on_cuda(const std::string& command, const Options& o) {
  if (const stlm::gpu::Probe found = stlm::gpu::probe(); !found) throw stlm::Error("--device cuda: " + found.str());
  return run_on<stlm::CudaBackend>(command, o);
}
