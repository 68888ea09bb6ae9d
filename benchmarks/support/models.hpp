// The models that several benchmarks use:
//
//   A  d128 L4 h4 f344  T256 B16 V256     0.8M parameters
//   B  d384 L6 h6 f1024 T256 B8  V256    10.7M
//   C  d512 L8 h8 f1376 T512 B4  V50257  51.0M
//
// and Gpt2: the size of B in the architecture of GPT-2 (Radford et al. 2019), which llm.c trains.
#pragma once

#include <stlm/models/byte_model.hpp>

namespace bench {

struct A : stlm::ByteModelDefaults {
  static constexpr int dim = 128, layers = 4, heads = 4, ffn_dim = 344, vocabulary = 256;
  static constexpr stlm::BatchShape shape{.batch = 16, .tokens = 256};
};
struct B : stlm::ByteModelDefaults {
  static constexpr int dim = 384, layers = 6, heads = 6, ffn_dim = 1024, vocabulary = 256;
  static constexpr stlm::BatchShape shape{.batch = 8, .tokens = 256};
};
struct C : stlm::ByteModelDefaults {
  static constexpr int dim = 512, layers = 8, heads = 8, ffn_dim = 1376, vocabulary = 50257;
  static constexpr stlm::BatchShape shape{.batch = 4, .tokens = 512};
};

struct Gpt2 : stlm::ByteModelDefaults {
  static constexpr int dim = 384, layers = 6, heads = 6, ffn_dim = 4 * dim, vocabulary = 256;
  static constexpr bool gated = false;
  static constexpr stlm::BatchShape shape{.batch = 8, .tokens = 256};
  using norm = stlm::LayerNorm<1>;
  using position = stlm::LearnedPosition<shape.tokens>;
  using activation = stlm::GeluTanh;
  using linears = stlm::WithBias;
};

}  // namespace bench
