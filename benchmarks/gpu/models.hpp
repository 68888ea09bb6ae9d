// The models that the GPU programs measure. The macro STLM_GPU_MODEL, given to the compiler, selects a program's model.
//
//   Bytes10M    d384 L6  h6  f1024 V256   T256     10.7M parameters; Bytes10MLean recomputes norms in backward
//   Tokens30M   d384 L6  h6  f1024 V50304 T1024    29.9M
//   Tokens50M   d512 L8  h8  f1376 V50304 T1024    51.0M
//   Tokens100M  d768 L12 h12 f2048 V50304 T1024   123.6M
#pragma once

#include <stlm/models/byte_model.hpp>
#include <stlm/nn/recomputed.hpp>

namespace gpu_bench {

struct Bytes10M : stlm::ByteModelDefaults {
  static constexpr const char* name = "10m";
  static constexpr int dim = 384, layers = 6, heads = 6, ffn_dim = 1024, vocabulary = 256;
  static constexpr stlm::Index tokens = 256;  // of a sequence
};
struct Bytes10MLean : Bytes10M {
  static constexpr const char* name = "10m_lean";
  using norm = stlm::Recomputed<stlm::RmsNorm<1>>;
};
struct Tokens30M : Bytes10M {
  static constexpr const char* name = "30m";
  static constexpr int vocabulary = 50304;
  static constexpr stlm::Token ignore = -1;
  static constexpr stlm::Index tokens = 1024;
};
struct Tokens50M : Tokens30M {
  static constexpr const char* name = "50m";
  static constexpr int dim = 512, layers = 8, heads = 8, ffn_dim = 1376;
};
struct Tokens100M : Tokens30M {
  static constexpr const char* name = "100m";
  static constexpr int dim = 768, layers = 12, heads = 12, ffn_dim = 2048;
};

#ifndef STLM_GPU_MODEL
#define STLM_GPU_MODEL Bytes10M
#endif
using Config = STLM_GPU_MODEL;
using Model = stlm::ByteModel<Config>;

}  // namespace gpu_bench
