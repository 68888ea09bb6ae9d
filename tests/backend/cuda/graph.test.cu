#include <stlm/backend/cuda/graph.hpp>

#include <stlm/backend/cuda/device_space.hpp>
#include <stlm/core/buffer.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

__global__ void add_one(int* number) {
  *number += 1;
}

void launch(const gpu::Stream& stream, const Buffer<int, PinnedSpace>& number) {
  add_one<<<1, 1, 0, stream.get()>>>(number.data());
  gpu::check_launch(cudaGetLastError(), "add_one", stream.get());
}

}  // namespace

TEST_CASE("capture: records work, which runs when the graph is launched", "[backend][cuda]") {
  const gpu::Stream stream;
  const Buffer<int, PinnedSpace> number(1);
  const gpu::GraphExec exec = [&] {
    const gpu::Graph graph = gpu::capture(stream, [&] {
      CHECK(stream.capturing());
      for (int i = 0; i < 3; ++i) launch(stream, number);
    });
    return gpu::GraphExec(graph);
  }();
  stream.synchronize();
  CHECK(*number.data() == 0);
  for (int i = 0; i < 4; ++i) exec.launch(stream);
  stream.synchronize();
  CHECK(*number.data() == 12);
}

TEST_CASE("capture: after an exception the stream works as before", "[backend][cuda]") {
  const gpu::Stream stream;
  const Buffer<int, PinnedSpace> number(1);
  CHECK_THROWS_WITH(gpu::capture(stream,
                                 [&] {
                                   launch(stream, number);
                                   fail("planted");
                                 }),
                    "planted");
  CHECK(!stream.capturing());
  launch(stream, number);
  stream.synchronize();
  CHECK(*number.data() == 1);
}

TEST_CASE("capture: what is not allowed in it is an error, and the stream works as before", "[backend][cuda]") {
  const gpu::Stream stream;
  const Buffer<int, PinnedSpace> number(1);
  CHECK_THROWS_AS(gpu::capture(stream, [&] { stream.synchronize(); }), CudaError);
  launch(stream, number);
  stream.synchronize();
  CHECK(*number.data() == 1);
}
