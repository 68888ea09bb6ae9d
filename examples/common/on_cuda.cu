// A program's `train`, `generate` and `choose` on a GPU. Compiled once for each program; STLM_EXAMPLE_MODEL is the header of
// its model.
#include <stlm/backend/cuda.hpp>

#include "run.hpp"
#include STLM_EXAMPLE_MODEL

namespace example {

template <class M>
int run_on_cuda(const std::string& command, const Options& options, const Recipe& recipe) {
  if (const stlm::gpu::Probe found = stlm::gpu::probe(); !found) throw stlm::Error("--device cuda: " + found.str());
  return run_on<M, stlm::CudaBackend>(command, options, recipe);
}
template int run_on_cuda<Model>(const std::string&, const Options&, const Recipe&);

}  // namespace example
