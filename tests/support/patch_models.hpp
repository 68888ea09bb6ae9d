// Small models over patches that together use every pool, head and policy, and batches of patches for them.
#pragma once

#include <stlm/models/byte_level_model.hpp>
#include <stlm/models/program.hpp>

#include "support/numbers.hpp"

namespace stlm::test {

struct SmallPatchConfig : ByteLevelDefaults {
  static constexpr int dim = 12, layers = 2, heads = 2, ffn_dim = 10;
  static constexpr int byte_dim = 8, byte_window = 5;
  using pool = ByteMean<2, 2, 2>;
  using byte_head = Autoregressive<2, 2, 2>;
};
/// Packed bytes, an autoregressive decoder; ends of patches need no prediction.
using SpacePatches = ByteLevelModel<SmallPatchConfig>;

struct TokenPatchConfig : SmallPatchConfig {
  using boundary = TokenBoundary;
  using ffn_sharing = SharedAcrossLayers<Lora<2>>;
};
/// As SpacePatches, but ends of patches are predicted and layers share a feed-forward layer.
using TokenPatches = ByteLevelModel<TokenPatchConfig>;

struct ParallelConfig : SmallPatchConfig {
  using boundary = TokenBoundary;
  using byte_head = Parallel<2, 2>;
};
/// A head that predicts all slots at once.
using ParallelPatches = ByteLevelModel<ParallelConfig>;

struct QuirkyPatchConfig : ParallelConfig {
  using bytes = ReferenceQuirks;
  using pool = ReferenceByteMean;
  using reconstruction = WithReconstruction<>;
};
/// The reference with all its faults and its second loss.
using QuirkyPatches = ByteLevelModel<QuirkyPatchConfig>;

struct ReconstructingConfig : ParallelConfig {
  using reconstruction = WithReconstruction<>;
};
using ReconstructingPatches = ByteLevelModel<ReconstructingConfig>;

struct StrideConfig : SmallPatchConfig {
  static constexpr int byte_window = 4;
  using boundary = FixedStride<4>;
  using pool = EmbeddingMean<130>;
  using byte_head = LinearBytes;
};
/// Patches of four bytes, averaged embeddings, one matrix that predicts all bytes of the next patch.
using StridePatches = ByteLevelModel<StrideConfig>;

template <class Config>
struct WidePatches : Config {
  static constexpr int vocabulary = 258, dim = 96, ffn_dim = 200, byte_dim = 32;
};

/// B sequences of S + 1 patches from a seed, with lengths 1 to W; now and then a patch is empty.
struct SomePatches {
  std::vector<Token> tokens, targets;
  Index batch, slots;

  SomePatches(BatchShape shape, Index window, std::uint64_t seed = 1) : batch(shape.batch), slots(shape.tokens * window) {
    const RandomKey key = RandomKey::from_seed(seed);
    for (Index b = 0; b < batch; ++b) {
      std::vector<Token> text;
      for (Index s = 0; s <= shape.tokens; ++s) {
        const RandomKey patch = key.fold(static_cast<std::uint64_t>(b * 1000 + s));
        const auto draw = static_cast<Index>(random_below(patch, 0, static_cast<std::uint64_t>(window) + 3));
        const Index length = s == 0 ? 1 : std::min(draw == 0 && s > 3 ? 0 : std::max<Index>(draw, 1), window);
        for (Index i = 0; i < window; ++i)
          text.push_back(i < length ? static_cast<Token>(random_below(patch, static_cast<std::uint64_t>(i) + 1, 256)) : 256);
      }
      tokens.insert(tokens.end(), text.begin(), text.end() - window);
      targets.insert(targets.end(), text.begin() + window, text.end());
    }
  }
  Batch view() const { return {{tokens.data(), batch, slots}, {targets.data(), batch, slots}}; }
};

/// A model over patches as a subject: y(0, 0) is the sum of all losses, which backward differentiates.
template <class M>
struct WholePatches : M {
  static constexpr Index in = 0, out = 1;

  static SomePatches batch(const Pass& pass) { return SomePatches({pass.batch, pass.tokens}, M::window, 5); }

  template <class Acts>
  static void prepare(Acts& acts) {
    const SomePatches some = batch(acts.pass());
    const auto [read, predicted] = M::rows_needed(some.view());
    acts.fit(read, predicted);
  }
  template <class B, class P, class T, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>, View<T, dynamic, out> y,
                      const C& cache) {
    const SomePatches some = batch(pass);
    std::fill(y.begin(), y.end(), T(0));
    y(0, 0) = M::forward(ctx, p, pass, some.view(), cache).sum;
    y(0, 0) += M::template auxiliary<B>(cache);
  }
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>,
                       View<const T, dynamic, out> dy, View<T, dynamic, in>, const C& cache, const P& grads) {
    const SomePatches some = batch(pass);
    Pass weighted = pass;
    weighted.weight = static_cast<double>(real_part(dy(0, 0)));
    M::backward(ctx, p, weighted, some.view(), cache, grads, weighted.weight);
  }
};

}  // namespace stlm::test
