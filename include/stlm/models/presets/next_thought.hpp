// The published next-thought configuration (arXiv 2405.14159): GPT-2 vocabulary, 512 tokens pooled to 28 of width 4800.
// A type for counting and comparing; with 1.5 GB of weights it is far from tiny.
#pragma once

#include <stlm/models/next_thought.hpp>

namespace stlm::presets {

/// GPT-2's vocabulary has no spare token, so the end of text is also the pad.
struct NextThoughtConfig : NextThoughtDefaults {
  static constexpr int vocabulary = 50257, dim = 768, heads = 16, kv_heads = 4, ffn_dim = 1536, pool_heads = 12;
  static constexpr Token pad = 50256;
  static constexpr PoolShape pools[] = {{1920, 300}, {1920, 500}, {1920, 600}, {4800, 600}};
  using head_norm = NoNorm<1>;
  using head = Untied;
};
using NextThought = stlm::NextThought<NextThoughtConfig>;

static_assert(num_params<NextThought> == 373'277'760);

}  // namespace stlm::presets
