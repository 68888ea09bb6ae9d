// Batch: token ids and what is to follow them. PairBatch: texts and what is to answer them. BatchShape: how many.
// Places: where sequences stand that are continued.
#pragma once

#include <stlm/core/tensor_view.hpp>

namespace stlm {

/// `batch` sequences (B) of `tokens` tokens (T). For a model over patches, tokens are patches, and `bytes` is the most
/// that the patches of a batch may hold together, and the most symbols to be predicted, ends of patches included where the
/// head predicts them; 0: no patch need have an empty slot.
struct BatchShape {
  Index batch = 1, tokens = 1, bytes = 0;
};

/// Throws ShapeError naming `who` where there is no sequence, no token in it, or more than sizes can count.
inline void expect_tokens_in(const char* who, BatchShape shape) {
  constexpr Index most = Index{1} << 40;
  expect(shape.batch > 0 && shape.tokens > 0, "stlm::", who, ": expected batch >= 1 and tokens >= 1, found ", shape.batch,
         " and ", shape.tokens, "; give both.");
  expect(shape.batch <= most / shape.tokens, "stlm::", who, ": expected at most ", most, " tokens in a batch, found ", shape.batch,
         " times ", shape.tokens, "; give fewer.");
}

/// Where a sequence belongs in a cache of keys and values: which of the cache's it is, and the position of its first new
/// token.
struct Place {
  Index sequence, position;
};
/// The places of B sequences, on the host: of their own, or those of the same numbers, all at one position.
struct Places {
  const Place* own = nullptr;
  Index position = 0;

  constexpr Place operator()(Index b) const { return own ? own[b] : Place{b, position}; }
};

/// Throws ShapeError naming `op` where a cache of `sequences` of `capacity` tokens has no room for `tokens` more at one of
/// `count` places.
inline void expect_room(const char* op, const Places& places, Index count, Index tokens, Index sequences, Index capacity) {
  for (Index b = 0; b < count; ++b) {
    const Place place = places(b);
    expect(place.sequence >= 0 && place.sequence < sequences && place.position >= 0 && place.position + tokens <= capacity,
           "stlm::ops::", op, ": sequence ", place.sequence, " at position ", place.position, " has no room for ", tokens,
           " more in a cache of ", sequences, " sequences of ", capacity, "; plan for more.");
  }
}

/// Token ids on the host, (B, T) each; `targets` is what follows `tokens`, position by position. For a model over patches
/// of up to W bytes (B, T * W): the slots of patch t begin at t * W, the empty ones hold ByteTokenizer::pad.
struct Batch {
  View<const Token, dynamic, dynamic> tokens, targets;
};

/// Token ids on the host: B questions one after another and the length of each, and B answers (B, A), padded behind with
/// the token that the model ignores.
struct PairBatch {
  View<const Token, dynamic> questions;
  View<const Index, dynamic> lengths;
  View<const Token, dynamic, dynamic> answers;
};

}  // namespace stlm
