#include <stlm/backend/cuda/probe.hpp>

#include <stlm/backend/cuda/device_space.hpp>
#include <stlm/core/buffer.hpp>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("probe: says what there is, in a sentence with a hint", "[backend][cuda]") {
  const gpu::Probe found = gpu::probe();
  int driver = 0;
  REQUIRE(cudaDriverGetVersion(&driver) == cudaSuccess);
  if (driver == 0) {
    CHECK(!found);
    CHECK(found.availability == gpu::Availability::kNoDriver);
    CHECK(found.str() ==
          "no NVIDIA driver is installed; install an NVIDIA driver as new as the CUDA this program was built "
          "with, or run it on another backend.");
  } else if (found) {
    CHECK(found.sentence.find("(compute capability ") != std::string::npos);
    CHECK(found.hint.empty());
  } else {
    CHECK(found.availability != gpu::Availability::kUsable);
    CHECK(!found.hint.empty());
  }
  if (driver != 0) CHECK(cudaGetLastError() == cudaSuccess);  // probing leaves no error behind
}

TEST_CASE("Probe: without devices, by the code that counting them returned", "[backend][cuda]") {
  using gpu::Availability;
  CHECK(gpu::detail::without_devices(cudaErrorNoDevice).availability == Availability::kNoDevice);
  CHECK(gpu::detail::without_devices(cudaSuccess).str() ==
        "an NVIDIA driver is installed, but no GPU is to be seen; run on a machine with an NVIDIA GPU, and see that "
        "CUDA_VISIBLE_DEVICES does not hide it.");
  CHECK(gpu::detail::cuda_version(13000) == "13.0");
  CHECK(gpu::detail::cuda_version(12040) == "12.4");
}

TEST_CASE("DeviceSpace, PinnedSpace: without a driver the error names the size", "[backend][cuda]") {
  CHECK(Buffer<float, DeviceSpace>(0).data() == nullptr);
  if (gpu::probe()) return;
  CHECK_THROWS_WITH((Buffer<float, DeviceSpace>(10)), ContainsSubstring("expected cudaMalloc of 40 bytes to succeed"));
  CHECK_THROWS_WITH((Buffer<float, PinnedSpace>(10)), ContainsSubstring("expected cudaHostAlloc of 40 bytes to succeed"));
}
