// Batch: token ids and their targets. PairBatch: questions and their answers. BatchShape: the size of a batch. Places: where
// sequences that are being continued stand in a KV cache.
#pragma once

#include <stlm/core/tensor_view.hpp>

namespace stlm {

/// `batch` sequences (B) of `tokens` tokens (T). For a model over patches, tokens are patches, and `bytes` limits the bytes in
/// a batch and, separately, the symbols it predicts, including ends of patches if the head predicts them. 0: room for full
/// patches.
struct BatchShape {
  Index batch = 1, tokens = 1, bytes = 0;
};

/// Throws ShapeError naming `who` if there are no sequences, no tokens in them, or more than 2^40 tokens in the batch.
inline void expect_tokens_in(const char* who, BatchShape shape) {
  constexpr Index most = Index{1} << 40;
  expect(shape.batch > 0 && shape.tokens > 0, "stlm::", who, ": expected batch >= 1 and tokens >= 1, found ", shape.batch,
         " and ", shape.tokens, "; give both.");
  expect(shape.batch <= most / shape.tokens, "stlm::", who, ": expected at most ", most, " tokens in a batch, found ",
         shape.batch, " times ", shape.tokens, "; give fewer.");
}

/// Where a sequence stands in a KV cache: the cache's number for it, and the position of its first new token.
struct Place {
  Index sequence, position;
};
/// The places of B sequences, on the host: those in `own`, or without it sequence b of the cache for each b, all at `position`.
struct Places {
  const Place* own = nullptr;
  Index position = 0;

  constexpr Place operator()(Index b) const { return own ? own[b] : Place{b, position}; }
};

/// Throws ShapeError naming `who` if a cache of `sequences` sequences of `capacity` tokens has no room for `tokens` new tokens
/// at one of `count` places.
inline void expect_room(const char* who, const Places& places, Index count, Index tokens, Index sequences, Index capacity) {
  for (Index b = 0; b < count; ++b) {
    const Place place = places(b);
    expect(place.sequence >= 0 && place.sequence < sequences && place.position >= 0 && place.position + tokens <= capacity,
           "stlm::", who, ": sequence ", place.sequence, " at position ", place.position, " has no room for ", tokens,
           " more in a cache of ", sequences, " sequences of ", capacity, "; plan for more.");
  }
}

/// Token ids on the host, (B, T) each; `targets` holds what follows at each position of `tokens`. For a model over patches of
/// up to W bytes, (B, T * W): the slots of patch t begin at t * W, and empty slots hold ByteTokenizer::pad.
struct Batch {
  View<const Token, dynamic, dynamic> tokens, targets;
};

/// Token ids on the host: B questions one after another and the length of each, and B answers (B, A), padded at the end with
/// the token that the model ignores.
struct PairBatch {
  View<const Token, dynamic> questions;
  View<const Index, dynamic> lengths;
  View<const Token, dynamic, dynamic> answers;
};

}  // namespace stlm
