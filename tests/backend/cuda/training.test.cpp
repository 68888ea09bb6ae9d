#include <stlm/backend/cuda_emulated.hpp>
#include <stlm/backend/eigen.hpp>
#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/clip.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct FlatConfig : ByteModelDefaults {
  static constexpr int dim = 64, layers = 2, heads = 2, ffn_dim = 96;
};
/// Two layers over bytes, heads of 32: what the kernels for tensor cores take.
using Flat = ByteModel<FlatConfig>;

struct PooledConfig : ByteLevelDefaults {
  static constexpr int dim = 64, layers = 2, heads = 2, ffn_dim = 96, byte_dim = 32, byte_window = 6;
  using pool = ByteMean<1, 2, 2>;
  using byte_head = Autoregressive<1, 2, 2>;
};
/// Bytes pooled into patches, two layers over these, and a decoder of bytes.
using Pooled = ByteLevelModel<PooledConfig>;

template <class Model>
auto batch_of(int step) {
  if constexpr (requires { Model::window; })
    return SomePatches({2, 24}, Model::window, static_cast<std::uint64_t>(step % 2 + 1));
  else
    return SomeBatch({2, 40}, Model::vocabulary, static_cast<std::uint64_t>(step % 2 + 1));
}

constexpr int steps = 20;

/// The losses of 20 steps on two batches in turns, by AdamW with clipping. S: what products read.
template <class Model, class B, class S>
std::vector<float> losses(int threads = 2) {
  Context<B> ctx({.threads = threads, .seed = 3});
  Parameters<Model, B> params(ctx), grads(ctx);
  init(ctx, params);
  WorkingWeights<Model, B, S> weights(ctx, params);
  BatchShape shape{2, 40};
  if constexpr (requires { Model::window; }) shape = {2, 24};
  Activations<Model, B> acts(ctx, shape);
  AdamW<Model, B> optimizer(ctx, {.lr = 3e-3});
  std::vector<float> found;
  for (int step = 0; step < steps; ++step) {
    const auto batch = batch_of<Model>(step);
    grads.zero(ctx);
    found.push_back(forward_backward(ctx, weights, batch.view(), acts, grads));
    clip_grad_norm(ctx, params, grads, 1, step);
    optimizer.step(ctx, params, grads);
    weights.update(ctx);
  }
  return found;
}

/// The largest difference between losses, relative.
double apart(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::max(most, static_cast<double>(std::abs(a[i] - b[i])) / static_cast<double>(std::abs(a[i])));
  return std::isfinite(most) ? most : INFINITY;
}

/// The memory of the device is closed to the host while models run.
struct Protected {
  Protected() { EmulatedSpace::protect(); }
  ~Protected() { EmulatedSpace::protect(false); }
};

}  // namespace

TEMPLATE_TEST_CASE("CudaBackend, emulated: twenty steps have the losses of EigenBackend", "[cuda][training]", Flat, Pooled) {
  const Protected device;
  const auto expected = losses<TestType, EigenBackend, float>();
  const auto found = losses<TestType, EmulatedCudaBackend, float>();
  CAPTURE(expected, found);
  CHECK(expected.back() < 0.9F * expected.front());  // they learn
  CHECK(apart(expected, found) < 1e-4);
}

// Rounding to Bfloat16 changes a factor by up to 2^-9 of itself, in another order of sums on each backend; the losses of
// training drift by that much and no further in twenty steps.
TEMPLATE_TEST_CASE("CudaBackend, emulated: in mixed precision the losses are near", "[cuda][training]", Flat, Pooled) {
  const Protected device;
  const auto exact = losses<TestType, EigenBackend, float>();
  const auto expected = losses<TestType, EigenBackend, Bfloat16>();
  const auto found = losses<TestType, EmulatedCudaBackend, Bfloat16>();
  CAPTURE(expected, found);
  CHECK(apart(expected, found) < 1.0 / 512);
  CHECK(apart(exact, found) < 1.0 / 128);
  CHECK(apart(exact, found) > 1e-6);  // it was rounded
}

TEST_CASE("CudaBackend, emulated: the same bits however blocks are spread", "[cuda][training]") {
  CHECK(losses<Flat, EmulatedCudaBackend, Bfloat16>(1) == losses<Flat, EmulatedCudaBackend, Bfloat16>(2));
}
