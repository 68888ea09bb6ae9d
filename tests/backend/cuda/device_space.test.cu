#include <stlm/backend/cuda/device_space.hpp>

#include <vector>

#include <stlm/backend/cuda/handles.hpp>
#include <stlm/core/arena.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

__global__ void add_one(float* numbers, int count) {
  if (const int i = static_cast<int>(threadIdx.x); i < count) numbers[i] += 1;
}

std::vector<float> on_host(const Buffer<float, DeviceSpace>& buffer) {
  std::vector<float> copy(static_cast<std::size_t>(buffer.size()));
  gpu::check(cudaMemcpy(copy.data(), buffer.data(), buffer.bytes(), cudaMemcpyDefault), "cudaMemcpy");
  return copy;
}

}  // namespace

TEST_CASE("DeviceSpace: aligned, zero at first, cleared in the order of the work around it", "[backend][cuda]") {
  const gpu::Stream stream;
  Buffer<float, DeviceSpace> buffer(100);
  CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % DeviceSpace::alignment == 0);
  CHECK(on_host(buffer) == std::vector<float>(100, 0.0F));
  for (int i = 0; i < 50; ++i) {
    add_one<<<1, 128, 0, stream.get()>>>(buffer.data(), 100);
    gpu::check_launch(cudaGetLastError(), "add_one", stream.get());
  }
  DeviceSpace::clear(buffer.data(), buffer.bytes());
  add_one<<<1, 128, 0, stream.get()>>>(buffer.data(), 100);
  CHECK(on_host(buffer) == std::vector<float>(100, 1.0F));
  stream.clear(buffer.data(), buffer.bytes());
  CHECK(on_host(buffer) == std::vector<float>(100, 0.0F));
}

TEST_CASE("PinnedSpace: the device writes what the host reads", "[backend][cuda]") {
  const gpu::Stream stream;
  Buffer<float, PinnedSpace> buffer(7);
  buffer.data()[3] = 41;
  add_one<<<1, 32, 0, stream.get()>>>(buffer.data(), 7);
  gpu::check_launch(cudaGetLastError(), "add_one", stream.get());
  stream.synchronize();
  CHECK(std::vector<float>(buffer.data(), buffer.data() + 7) == std::vector<float>{1, 1, 1, 42, 1, 1, 1});
}

TEST_CASE("PlannedMemory: of a device", "[backend][cuda]") {
  View<float, dynamic> a, b;
  PlannedMemory<DeviceSpace> memory;
  memory.allocate([&](Arena& arena) {
    arena.keep(a, 3);
    arena.temp(b, 5);
  });
  CHECK(a.data() != nullptr);
  CHECK(b.data() - a.data() == 16);
}

TEST_CASE("DeviceSpace: more than there is", "[backend][cuda]") {
  CHECK_THROWS_WITH(DeviceSpace::allocate(std::size_t{1} << 50), ContainsSubstring("cudaErrorMemoryAllocation"));
  CHECK(cudaGetLastError() == cudaSuccess);
}
