// Every kernel of the CUDA backend, compiled for the test cuda/ptxas_report.
#include <stlm/backend/cuda.hpp>

template __global__ void stlm::gpu::detail::probe_kernel<void>();
