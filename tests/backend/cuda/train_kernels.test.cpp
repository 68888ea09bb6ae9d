#include <stlm/backend/cuda/emulated_context.hpp>
#include <stlm/backend/cuda/optimizer.hpp>
#include <stlm/train/schedule.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("the update of a step moves 34 bytes for each weight", "[cuda][train]") {
  constexpr Index size = 8192;
  Context<EmulatedCudaBackend> ctx;
  const Buffer<float> w(size), g(size), m(size), v(size), losses(1);
  const Buffer<Bfloat16> rounded(size);
  const Buffer<ops::StepState<float>> memory(1);
  const ops::StepView<float> state(memory.data());
  const double factor = 1;
  fill(g.view(), {1, 1});
  ops::begin_step(ctx, state, g.view(), losses.view(), ops::StepRule<ConstantSchedule>{{}, 1, {}, &factor});
  ops::adamw(ctx, state, w.view(), g.view(), m.view(), v.view(), {true, true, rounded.view()});
  const auto& counts = ctx.counts().at("adamw");
  const Index of_numbers = size / 8 * static_cast<Index>(sizeof(ops::AdamWNumbers<float>));  // each thread loads them, cached
  CHECK(counts.bytes_read - of_numbers == 16 * size);
  CHECK(counts.bytes_written == 18 * size);
}
