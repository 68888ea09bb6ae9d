// A training step as a GPU replays it, with its numbers on the device, against the arithmetic of the CPU.
#include <stlm/backend/cuda/emulated_context.hpp>
#include <stlm/backend/cuda/optimizer.hpp>
#include <stlm/backend/eigen.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/schedule.hpp>

#include <cstring>
#include <limits>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

constexpr AdamWOptions options{.lr = 1e-2};
constexpr CosineSchedule schedule{.warmup = 3, .total = 9, .minimum = 0.1};
constexpr double max_norm = 8;

/// Weights, gradient and moments: matrices, then vectors.
template <class T>
struct Numbers {
  Index matrices, size;
  Buffer<T> w{size}, g{size}, m{size}, v{size};

  Numbers(Index matrices_, Index vectors) : matrices(matrices_), size(matrices_ + vectors) { fill(w.view(), {1, 1}); }
  /// Longer than `max_norm` every other step.
  void draw_gradient(Index step) { fill(g.view(), RandomKey{2, 2}.fold(static_cast<std::uint64_t>(step)), step % 2 ? 1 : 0.125); }
  static View<T, dynamic> part(const Buffer<T>& of, Index begin, Index end) { return {of.data() + begin, Extents<dynamic>(end - begin)}; }
};

template <class T>
struct OnCpu : Numbers<T> {
  using Numbers<T>::Numbers;
  Context<EigenBackend> ctx{{.threads = 1}};
  double norm = 0;

  void step(Index step) {
    norm = std::sqrt(ops::sum_squares(ctx, this->g.view()));
    if (norm > max_norm) ops::axpby(ctx, static_cast<T>(max_norm / norm), this->g.view(), T(0), this->g.view());
    update(0, this->matrices, options.matrices(schedule(step), step + 1));
    update(this->matrices, this->size, options.vectors(schedule(step), step + 1));
  }
  void update(Index begin, Index end, const ops::AdamWStep& s) {
    ops::adamw(ctx, this->part(this->w, begin, end), this->part(this->g, begin, end), this->part(this->m, begin, end),
               this->part(this->v, begin, end), s);
  }
};

template <class T>
struct OnDevice : Numbers<T> {
  using Numbers<T>::Numbers;
  Context<EmulatedCudaBackend> ctx{{.threads = 2}};
  Buffer<gpu::StepState<T>> state{1};
  Buffer<Bfloat16> rounded{this->matrices};

  void step() {
    gpu::begin_step(ctx, state.data(), {this->g.data(), this->size}, options.matrices(1, 1), max_norm, schedule);
    update(0, this->matrices, true, rounded.data());
    update(this->matrices, this->size, false, nullptr);
  }
  void update(Index begin, Index end, bool decays, Bfloat16* copy) {
    gpu::adamw_step(ctx, state.data(), this->part(this->w, begin, end), this->part(this->g, begin, end),
                    this->part(this->m, begin, end), this->part(this->v, begin, end), decays, copy);
  }
};

}  // namespace

TEMPLATE_TEST_CASE("a step with its numbers on the device is the CPU's: clipping, schedule, AdamW", "[cuda][train]", float,
                   double) {
  for (const auto& [matrices, vectors] : {std::pair<Index, Index>{1, 1}, {1000, 33}, {1003, 37}, {40000, 0}})
    for (const auto order : {gpu::ThreadOrder::kForward, gpu::ThreadOrder::kShuffled}) {
      CAPTURE(matrices, vectors);
      OnCpu<TestType> cpu(matrices, vectors);
      OnDevice<TestType> device(matrices, vectors);
      device.ctx.set_order(order);
      for (Index step = 0; step < 10; ++step) {
        cpu.draw_gradient(step);
        device.draw_gradient(step);
        cpu.step(step);
        device.step();
        const auto& state = device.state.data()[0];
        CHECK(state.step == step + 1);
        CHECK(state.norm == Approx(cpu.norm).epsilon(1e-12));
        CHECK(state.factor == schedule(step));
        const double tolerance = sizeof(TestType) == 4 ? 1e-6 : 1e-14;
        CHECK(deviation(cpu.w.view(), device.w.view()) < tolerance);
        CHECK(deviation(cpu.m.view(), device.m.view()) < tolerance);
        CHECK(deviation(cpu.v.view(), device.v.view()) < tolerance);
        for (Index i = 0; i < matrices; ++i)
          REQUIRE(device.rounded.data()[i].bits == Bfloat16(static_cast<float>(device.w.data()[i])).bits);
        for (const TestType gradient : device.g.view()) REQUIRE(gradient == 0);
      }
    }
}

TEST_CASE("a gradient that is not finite stops the run on the device, and leaves everything as it is", "[cuda][train]") {
  OnDevice<float> device(1000, 33);
  device.draw_gradient(0);
  device.step();
  const std::vector<float> before(device.w.view().begin(), device.w.view().end());
  for (Index step = 1; step < 3; ++step) {
    device.draw_gradient(step);
    if (step == 1) device.g.data()[1001] = std::numeric_limits<float>::quiet_NaN();
    const float gradient = device.g.data()[7];
    device.step();
    CHECK(std::memcmp(before.data(), device.w.data(), device.w.bytes()) == 0);
    CHECK(device.g.data()[7] == gradient);
    CHECK(device.state.data()->step == 1);
    CHECK(device.state.data()->failed == 2);
    CHECK(std::isnan(device.state.data()->norm));
  }
}

TEST_CASE("the update of a step moves 34 bytes for each weight", "[cuda][train]") {
  OnDevice<float> device(8192, 0);
  device.draw_gradient(0);
  device.step();
  const auto& counts = device.ctx.counts().at("adamw");
  const Index of_numbers = 4 * 256 * static_cast<Index>(sizeof(gpu::AdamWNumbers<float>));  // a load of each thread, cached
  CHECK(counts.bytes_read - of_numbers == 16 * 8192);
  CHECK(counts.bytes_written == 18 * 8192);
}
