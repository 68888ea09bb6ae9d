// Byte-level configurations: the two published ones, faults included (arXiv 2405.14159), and our own of about 10, 50 and
// 100 million parameters.
//
// The paper promises 90 to 95 % fewer parameters than a vocabulary needs. `byte_share_saved<Model>` is the fraction that pool
// and head save against an embedding and an untied projection of GPT-2's 50,257 tokens at the model's width: 0.925 and 0.9005
// for the published two, 0.982, 0.978 and 0.969 for ours.
#pragma once

#include <stlm/models/byte_level_model.hpp>

namespace stlm::presets {

/// The fraction of 2 * 50,257 * dim parameters that pool and head save.
template <class Model>
inline constexpr double byte_share_saved =
    1 - static_cast<double>(num_params<Model> - num_params<typename Model::Core>) / (2.0 * 50257 * Model::dim);

struct ReferenceBytes : ByteLevelDefaults {
  static constexpr int heads = 16, kv_heads = 4, ffn_dim = 1536;
  using boundary = TokenBoundary;  // GPT-2's tokens
  using bytes = ReferenceQuirks;
  using byte_head = Parallel<>;
};
struct ByteLevelConfig : ReferenceBytes {
  static constexpr int dim = 768, layers = 10;
  using reconstruction = WithReconstruction<>;
};
struct ByteLevelFfnSharingConfig : ReferenceBytes {
  static constexpr int dim = 512, layers = 16;
  using ffn_sharing = SharedAcrossLayers<>;
};
using ByteLevel = ByteLevelModel<ByteLevelConfig>;                      // 55,924,736 parameters
using ByteLevelFfnSharing = ByteLevelModel<ByteLevelFfnSharingConfig>;  // 17,980,416 parameters

/// Ours: patches that end after words, a pool of one block, an autoregressive decoder of two blocks, and one feed-forward layer
/// that all layers of the core share, each with low-rank terms of its own.
struct SharedBytes : ByteLevelDefaults {
  using pool = ByteMean<1, 4, 4>;
  using byte_head = Autoregressive<2, 4, 3>;
  using ffn_sharing = SharedAcrossLayers<Lora<16>>;
};
struct Bytes10MConfig : SharedBytes {
  static constexpr int dim = 512, layers = 10, heads = 8, kv_heads = 2, ffn_dim = 1408, byte_dim = 128;
};
struct Bytes50MConfig : SharedBytes {
  static constexpr int dim = 1024, layers = 13, heads = 16, kv_heads = 4, ffn_dim = 3584, byte_dim = 192;
};
struct Bytes100MConfig : SharedBytes {
  static constexpr int dim = 1280, layers = 18, heads = 20, kv_heads = 5, ffn_dim = 4480, byte_dim = 256;
};
using Bytes10M = ByteLevelModel<Bytes10MConfig>;    // 10,569,856 parameters
using Bytes50M = ByteLevelModel<Bytes50MConfig>;    // 50,282,688 parameters
using Bytes100M = ByteLevelModel<Bytes100MConfig>;  // 99,894,528 parameters

}  // namespace stlm::presets
