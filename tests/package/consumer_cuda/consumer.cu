// A user's program for a GPU. Everything it needs must come from stlm::cuda, without Eigen.
#include <cstdio>

#include <stlm/backend/cuda.hpp>
#include <stlm/core/buffer.hpp>

#if __has_include(<Eigen/Core>)
#error "stlm::cuda brings Eigen"
#endif

int main() {
  if (const stlm::gpu::Probe found = stlm::gpu::probe(); !found) {
    std::puts(found.str().c_str());
    return 0;
  }
  const stlm::Buffer<float, stlm::DeviceSpace> numbers(100);
  return numbers.size() == 100 ? 0 : 1;
}
