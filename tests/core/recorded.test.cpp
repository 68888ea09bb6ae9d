#include <stlm/core/recorded.hpp>

#include <stlm/backend/cuda/emulated_context.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("Recorded: a backend without graphs does the work each time", "[core][recorded]") {
  Context<ReferenceBackend> ctx;
  Recorded<ReferenceBackend> work;
  int runs = 0;
  for (int i = 0; i < 3; ++i) work.run(ctx, 1, [&] { ++runs; });
  CHECK(runs == 3);
}

TEST_CASE("Recorded: what a graph cannot hold is refused once the work repeats, and in a new shape allowed once more",
          "[core][recorded]") {
  Context<EmulatedCudaBackend> ctx;
  Recorded<EmulatedCudaBackend> work;
  const Buffer<float, EmulatedSpace> number(1);
  const auto read = [&] { ctx.read(number.data()); };
  work.run(ctx, 1, read);
  CHECK_THROWS_WITH(work.run(ctx, 1, read),
                    "stlm::Context<EmulatedCudaBackend>: a recorded step reads a number back; take it from the device after "
                    "the step instead.");
  work.run(ctx, 2, read);
  ctx.read(number.data());
}
