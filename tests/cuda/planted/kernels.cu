// Kernels for the test of ptxas_report.cmake. PLANT chooses a fault.
namespace planted {

template <int Count>
__global__ void sums(const float* from, float* to) {
  __shared__ float part[Count];
  part[threadIdx.x] = from[threadIdx.x];
  __syncthreads();
  to[threadIdx.x] = part[Count - 1 - threadIdx.x];
}
template __global__ void sums<128>(const float*, float*);

#if defined(PLANT_SPILLS)
/// Two blocks of 1024 threads have 32 registers a thread; 64 numbers are alive at once.
__global__ void __launch_bounds__(1024, 2) many_numbers(const float* from, float* to) {
  float kept[64];
#pragma unroll
  for (int i = 0; i < 64; ++i) kept[i] = from[i * 1024 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 64; ++i) to[i * 1024 + threadIdx.x] = kept[i] * kept[63 - i];
}
#elif defined(PLANT_STACK_FRAME)
__global__ void run_time_index(const int* from, int* to) {
  int kept[32];
  for (int i = 0; i < 32; ++i) kept[from[i] & 31] = i;
  to[threadIdx.x] = kept[from[threadIdx.x] & 31];
}
#endif

}  // namespace planted
