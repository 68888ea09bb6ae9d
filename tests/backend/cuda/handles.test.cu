#include <stlm/backend/cuda/handles.hpp>

#include <vector>

#include <stlm/backend/cuda/graph.hpp>
#include <stlm/backend/cuda/lt_product.hpp>
#include <stlm/backend/cuda/probe.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

std::vector<const int*> ended;

int end(int* handle) {
  ended.push_back(handle);
  return 1;  // an error, which the destructor ignores
}
using Owner = gpu::Owner<int*, end>;

template <class T>
constexpr bool moves_only =
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> && std::is_nothrow_move_constructible_v<T> &&
    std::is_nothrow_move_assignable_v<T> && std::is_nothrow_destructible_v<T>;

}  // namespace

static_assert(moves_only<gpu::Stream> && moves_only<gpu::Event> && moves_only<gpu::Graph> &&
              moves_only<gpu::GraphExec>);
static_assert(moves_only<gpu::LtHandle> && moves_only<gpu::LtProduct> && moves_only<Owner>);
static_assert(!std::is_move_constructible_v<gpu::Capture>);

TEST_CASE("Owner: ends what it owns, once", "[backend][cuda]") {
  int a = 0, b = 0;
  ended.clear();
  {
    Owner first(&a), moved(std::move(first)), nothing;
    CHECK(!first);
    CHECK(moved.get() == &a);
    Owner second(&b);
    second = std::move(moved);  // swaps: `moved` keeps the old handle of `second` alive
    CHECK(second.get() == &a);
    CHECK(moved.get() == &b);
    nothing = std::move(second);
    CHECK(ended.empty());
  }
  CHECK(ended == std::vector<const int*>{&a, &b});
}

TEST_CASE("Graph, GraphExec: without a driver they may be empty", "[backend][cuda]") {
  const gpu::Graph graph;
  gpu::GraphExec exec, other(std::move(exec));
  CHECK(!graph);
  CHECK(!other);
}

TEST_CASE("Stream, Event, LtHandle: made where there is a device, else the error says what is missing",
          "[backend][cuda]") {
  if (gpu::probe()) {
    gpu::Stream stream, moved(std::move(stream));
    const gpu::Event begin(gpu::Event::Timing::kOn), end(gpu::Event::Timing::kOn);
    moved.record(begin);
    moved.record(end);
    end.synchronize();
    CHECK(end.milliseconds_since(begin) >= 0);
    CHECK(!moved.capturing());
    CHECK(gpu::LtHandle());
  } else {
    CHECK_THROWS_WITH(gpu::Stream(), ContainsSubstring("expected cudaStreamCreate to succeed, found cudaError"));
    CHECK_THROWS_AS(gpu::Event(gpu::Event::Timing::kOff), CudaError);
    CHECK_THROWS_WITH(gpu::LtHandle(),
                      ContainsSubstring("cublasLtCreate to succeed, found CUBLAS_STATUS_NOT_INITIALIZED (1)"));
  }
}
