// Two small models, and their losses in the first twenty training steps on any backend whose header is included before.
#pragma once

#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/clip.hpp>

#include "support/patch_models.hpp"
#include "support/small_models.hpp"

namespace stlm::test {

struct TwoLayersConfig : ByteModelDefaults {
  static constexpr int dim = 64, layers = 2, heads = 2, ffn_dim = 96;
};
/// Two layers over bytes with heads of 32, a size that the kernels for tensor cores take.
using TwoLayers = ByteModel<TwoLayersConfig>;

struct PooledLayersConfig : ByteLevelDefaults {
  static constexpr int dim = 64, layers = 2, heads = 2, ffn_dim = 96, byte_dim = 32, byte_window = 6;
  using pool = ByteMean<1, 2, 2>;
  using byte_head = Autoregressive<1, 2, 2>;
};
/// Bytes pooled into patches, two layers over the patches, and a byte decoder.
using PooledLayers = ByteLevelModel<PooledLayersConfig>;

template <class Model>
auto training_batch(int step) {
  if constexpr (requires { Model::window; })
    return SomePatches({2, 24}, Model::window, static_cast<std::uint64_t>(step % 2 + 1));
  else
    return SomeBatch({2, 40}, Model::vocabulary, static_cast<std::uint64_t>(step % 2 + 1));
}

/// The losses of twenty steps of AdamW with clipping, on two batches in turn. S: the scalar of the weights that products read.
template <class Model, class B, class S>
std::vector<float> losses(int threads = 2) {
  Context<B> ctx({.threads = threads, .seed = 3});
  Parameters<Model, B> params(ctx), grads(ctx);
  init(ctx, params);
  WorkingWeights<Model, B, S> weights(ctx, params);
  BatchShape shape{2, 40};
  if constexpr (requires { Model::window; }) shape = {2, 24};
  Activations<Model, B, S> acts(ctx, shape);
  AdamW<Model, B> optimizer(ctx, {.lr = 3e-3});
  std::vector<float> found;
  for (int step = 0; step < 20; ++step) {
    const auto batch = training_batch<Model>(step);
    grads.zero(ctx);
    found.push_back(forward_backward(ctx, weights, batch.view(), acts, grads));
    clip_grad_norm(ctx, params, grads, 1, step);
    optimizer.step(ctx, params, grads);
    weights.update(ctx);
  }
  return found;
}

/// The largest relative difference between losses.
inline double apart(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const double off = static_cast<double>(std::abs(a[i] - b[i])) / static_cast<double>(std::abs(a[i]));
        off > most || std::isnan(off))
      most = off;
  return std::isfinite(most) ? most : INFINITY;
}

}  // namespace stlm::test
