// AttentionPlan: an AttentionShape that the host has prepared for kernels.
#pragma once

#include <bit>
#include <limits>

#include <stlm/backend/cuda/kernels/attention_dropout.hpp>
#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/kernels/attention_sequences.hpp>
#include <stlm/backend/cuda/scratch.hpp>

namespace stlm::gpu {

/// `together`: short sequences of one length share tiles, as packed ones do. A plan is valid as long as `scratch` lives.
struct AttentionPlan : AttentionNumbers {
  int key_sequences;  ///< in keys and values

  template <class B, class T>
  AttentionPlan(Context<B>& ctx, Scratch<B>& scratch, const ops::AttentionShape& shape, HeadsView<const T> q,
                HeadsView<const T> k, bool together)
      : AttentionNumbers{} {
    const bool packed = shape.offsets || together;
    const Index most = std::max(shape.rows() * q.heads, shape.batch * shape.keys);
    expect(most < std::numeric_limits<int>::max(),
           "stlm::ops::attention: expected less than 2^31 rows of scores and keys ", "on a GPU, found ", most,
           "; use smaller batches.");
    batch = packed ? 1 : static_cast<int>(shape.batch);
    queries = static_cast<int>(packed ? shape.rows() : shape.queries);
    keys = static_cast<int>(packed ? shape.rows() : shape.keys);
    heads = static_cast<int>(q.heads);
    group = static_cast<int>(q.heads / k.heads);
    head_size = static_cast<int>(q.head_size);
    window = static_cast<int>(std::min<Index>(shape.window, std::numeric_limits<int>::max() / 2));
    causal = shape.causal;
    alibi = shape.alibi;
    slopes = static_cast<int>(std::bit_floor(static_cast<unsigned>(heads)));
    slope_step = 8.f / static_cast<float>(slopes);
    mask_keys = shape.keys;
    masks = MaskStream::of(shape.key);
    dropped = values_below(static_cast<float>(shape.dropout));
    keep_scale = 1 / (1 - shape.dropout);
    // Nothing here may depend on the values of shape.places: recorded work reads other values when it is replayed. So it is
    // unknown how many sequences the cache holds.
    key_sequences = shape.places ? std::numeric_limits<int>::max() : batch;
    if (shape.places) places = {ctx.readable(scratch, shape.places, shape.batch), shape.batch};
    if (!packed || queries == 0) return;
    const Span<RowRange> found{scratch.template take<RowRange>(queries), queries};
    const Span<const Index> offsets{shape.offsets.data(), shape.offsets ? shape.batch + 1 : 0};
    ctx.launch(FindSequences{offsets, found, static_cast<int>(shape.keys)}, ceil_div(queries, FindSequences::threads));
    sequences = found;
  }

  template <class T>
  HeadRows<T> queries_of(HeadsView<T> x) const {
    return {x, batch, queries};
  }
  template <class T>
  HeadRows<T> keys_of(HeadsView<T> x) const {
    return {x, key_sequences, keys};
  }
  double scale() const { return 1 / std::sqrt(static_cast<double>(head_size)); }
};

}  // namespace stlm::gpu
