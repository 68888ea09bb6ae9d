// expect: <stlm/backend/cuda.hpp> copies in order of the legacy default stream
#ifdef STLM_FIXED
#include <stlm/core/backend.hpp>
#else
#define __CUDACC__  // both macros as nvcc --default-stream per-thread defines them
#define CUDA_API_PER_THREAD_DEFAULT_STREAM 1
#include <stlm/backend/cuda.hpp>
#endif

int main() {}
