#include <stlm/core/recorded.hpp>

#include <stlm/backend/cuda/emulated_recorded.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("Recorded: a backend without graphs does the work each time", "[core][recorded]") {
  Context<ReferenceBackend> ctx;
  Recorded<ReferenceBackend> work;
  int runs = 0;
  for (int i = 0; i < 3; ++i) work.run(ctx, {1}, [&] { ++runs; });
  CHECK(runs == 3);
}

TEST_CASE("Recorded: what a graph cannot hold is refused once the work repeats, and in a new shape allowed once more",
          "[core][recorded]") {
  Context<EmulatedCudaBackend> ctx;
  Recorded<EmulatedCudaBackend> work;
  const Buffer<float, EmulatedSpace> number(1);
  const auto read = [&] { ctx.read(number.data()); };
  work.run(ctx, {1}, read);
  CHECK_THROWS_WITH(work.run(ctx, {1}, read),
                    "stlm::Context<EmulatedCudaBackend>: a recorded step reads a number back; take it from the device after "
                    "the step instead.");
  work.run(ctx, {2}, read);
  ctx.read(number.data());
}

namespace {

struct Store {
  static constexpr const char* name = "store";
  static constexpr int threads = 32;
  gpu::Span<float> y;
  float value;
  template <class Exec>
  void operator()(Exec& e, gpu::NoShared&) const {
    e.each([&](int t) {
      if (t == 0) e.store(y, 0, value);
    });
  }
};

}  // namespace

TEST_CASE("Recorded: work that copies to the host is done each time", "[core][recorded]") {
  Context<EmulatedCudaBackend> ctx;
  Recorded<EmulatedCudaBackend> work;
  const Buffer<float, EmulatedSpace> number(1);
  for (int i = 0; i < 3; ++i)
    work.run(ctx, {1}, [&] {
      float value = 0;
      EmulatedSpace::to_host(&value, number.data(), sizeof value);
      ctx.launch(Store{{number.data(), 1}, value + 1}, 1);
    });
  CHECK(ctx.read(number.data()) == 3);
}

TEST_CASE("Recorded: a step that repeats with other arguments, or other kernels, is refused", "[core][recorded]") {
  Context<EmulatedCudaBackend> ctx;
  Recorded<EmulatedCudaBackend> work;
  const Buffer<float, EmulatedSpace> number(1);
  const auto store = [&](float value) { ctx.launch(Store{{number.data(), 1}, value}, 1); };
  for (int i = 0; i < 4; ++i) work.run(ctx, {1}, [&] { store(1); });
  if (gpu::LaunchTrace::exact)
    CHECK_THROWS_WITH(work.run(ctx, {1}, [&] { store(2); }),
                      "stlm::Recorded: launch 1 of a recorded step is store with 1 blocks, recorded was store with 1 and other "
                      "arguments; it may depend on nothing but its shape and the memory of the device.");
  CHECK_THROWS_WITH(work.run(ctx, {1}, [] {}),
                    "stlm::Recorded: a recorded step launches 0 kernels, 1 when it was recorded; it may depend on nothing but "
                    "its shape and the memory of the device.");
  work.run(ctx, {2}, [&] { store(2); });
}
