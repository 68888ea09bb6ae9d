// Rotary position embedding (Su et al. 2021), in place on queries and keys.
//
// Pair i of a head at position t turns by t * theta_i, theta_i = base^(-2i/D). A pair is the adjacent (2i, 2i+1), the
// convention of the reference implementation, or the halves (i, i + D/2), the convention of Llama in transformers.
// The inverse rotation is the gradient.
#pragma once

#include <stlm/ops/attention.hpp>

namespace stlm {

enum class RopePairs { kAdjacent, kHalfSplit };

namespace ops {

struct RopeOptions {
  Index batch, tokens;
  Index position = 0;  ///< of the first token
  RopePairs pairs = RopePairs::kAdjacent;
  double base = 10000;
  bool inverse = false;
  Offsets offsets = {};  ///< of packed sequences of at most `tokens` rows
  const Place* places = nullptr;  ///< of sequences that stand at positions of their own

  /// For backends of the host: it reads the offsets.
  Index first(Index b) const { return places ? places[b].position : position; }
  Index length(Index b) const { return offsets ? offsets(b + 1) - offsets(b) : tokens; }
};

namespace impl {
template <class Backend>
struct Rope : MissingBackend<Backend> {};
}  // namespace impl

template <class Backend, class T>
void rope(Context<Backend>& ctx, HeadsView<T> x, const RopeOptions& options) {
  expect(x.head_size % 2 == 0, "stlm::ops::rope: expected an even head size, found ", x.head_size, ".");
  impl::Rope<Backend>::template run<T>(ctx, x, options);
}

}  // namespace ops
}  // namespace stlm
