// Rotary position embedding (Su et al. 2021), in place on queries and keys.
//
// Pair i of a head at position t is rotated by t * theta_i, theta_i = base^(-2i/D). Pair i is the adjacent numbers (2i, 2i+1),
// the convention of the reference implementation, or (i, i + D/2) of the two halves, the convention of Llama in transformers.
// The gradient is the inverse rotation.
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/batch.hpp>
#include <stlm/ops/detail/offsets_check.hpp>
#include <stlm/ops/heads_view.hpp>

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
  const Place* places = nullptr;  ///< if given, of sequences at different positions

  /// The position of sequence b's first row, and its number of rows. They read `places` and `offsets`: for host backends only.
  Index first(Index b) const { return places ? places[b].position : position; }
  Index length(Index b) const { return offsets ? offsets(b + 1) - offsets(b) : tokens; }
};

namespace impl {
template <class Backend>
struct Rope : MissingBackend<Backend> {};
}  // namespace impl

/// Whether a backend has `rope_append`, which writes keys into their cache while it rotates them.
template <class Backend>
inline constexpr bool appends_turned = false;

template <class Backend, class T>
void rope(Context<Backend>& ctx, HeadsView<T> x, const RopeOptions& options) {
  expect(x.head_size % 2 == 0, "stlm::ops::rope: expected an even head size, found ", x.head_size,
         "; change it, as pairs are turned.");
  expect(!options.places || !options.offsets,
         "stlm::ops::rope: packed sequences at places of their own are not supported; give places or offsets.");
  expect_offsets("rope", options.offsets, options.batch);
  impl::Rope<Backend>::template run<T>(ctx, x, options);
}

namespace detail {
template <class T>
void expect_rope_append(HeadsView<T> x, Index queries, const RopeOptions& options, HeadsView<T> keys, HeadsView<T> values,
                        Index sequences) {
  expect(x.head_size % 2 == 0 && keys.head_size == x.head_size && keys.heads == x.heads - queries &&
             values.heads == keys.heads && values.head_size == x.head_size && !options.offsets,
         "stlm::ops::rope_append: expected ", x.heads - queries, " heads of an even size, ", x.head_size,
         ", in each cache and no packed sequences, found ", keys.heads, " of ", keys.head_size, " and ", values.heads, " of ",
         values.head_size, "; give caches of the heads' shape.");
  expect(keys.token_stride == keys.heads * keys.head_size && values.token_stride == keys.token_stride &&
             values.batch_stride == keys.batch_stride,
         "stlm::ops::rope_append: caches have gaps, or are of two capacities; give (sequences, capacity, heads, D) of one.");
  expect_room("ops::rope_append", {options.places, options.position}, options.batch, options.tokens, sequences,
              keys.batch_stride / keys.token_stride);
}
}  // namespace detail

/// Rotates the queries, the first `queries` heads of x, in place, and the keys, the other heads of x, into the cache `keys`.
/// Copies the values, which follow the keys in the rows of x, into the cache `values`. The rows of each sequence go to its
/// place in `options`. Caches are (sequences, capacity, key heads, D). Throws ShapeError if there is no room.
template <class Backend, class T>
  requires(appends_turned<Backend>)
void rope_append(Context<Backend>& ctx, HeadsView<T> x, Index queries, const RopeOptions& options, HeadsView<T> keys,
                 HeadsView<T> values, Index sequences) {
  detail::expect_rope_append(x, queries, options, keys, values, sequences);
  impl::Rope<Backend>::template append<T>(ctx, x, queries, options, keys, values, sequences);
}

}  // namespace ops
}  // namespace stlm
