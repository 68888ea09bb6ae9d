// PackedHeads: the heads in rows of [Q | K | V], the product of one matrix: H query, Kv key and Kv value heads.
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::detail {

template <Index Heads, Index KvHeads, Index HeadSize>
struct PackedHeads {
  static constexpr Index query_width = Heads * HeadSize, kv_width = KvHeads * HeadSize, width = query_width + 2 * kv_width;
  template <class T>
  using Qkv = View<T, dynamic, width>;

  const Pass& pass;

  template <class T>
  HeadsView<T> queries(Qkv<T> qkv) const {
    return heads(qkv.data(), Heads, width);
  }
  template <class T>
  HeadsView<T> keys(Qkv<T> qkv) const {
    return heads(qkv.data() + query_width, KvHeads, width);
  }
  template <class T>
  HeadsView<T> values(Qkv<T> qkv) const {
    return heads(qkv.data() + query_width + kv_width, KvHeads, width);
  }
  /// Queries and keys, which are adjacent in a row: the heads that are rotated.
  template <class T>
  HeadsView<T> turned(Qkv<T> qkv) const {
    return heads(qkv.data(), Heads + KvHeads, width);
  }
  /// Heads of the rows that attention writes.
  template <class T>
  HeadsView<T> mixed(View<T, dynamic, query_width> x) const {
    return heads(x.data(), Heads, query_width);
  }
  /// Keys or values of a KvCache.
  template <class T>
  static HeadsView<T> cached(View<T, dynamic, dynamic, kv_width> x) {
    return {x.data(), KvHeads, HeadSize, x.extent(1) * kv_width, kv_width};
  }

 private:
  template <class T>
  HeadsView<T> heads(T* data, Index count, Index row) const {
    return {data, count, HeadSize, pass.tokens * row, row};
  }
};

/// A visitor that sets `row_parts` of each tensor whose rows are the outputs [Q | K | V]: it stacks the rows of three matrices.
template <class V, Index QueryWidth, Index KvWidth>
struct StackedRows {
  V& visitor;
  template <class Tensor>
  constexpr void operator()(const Path& path, Tensor& view, ParameterSpec spec) {
    if (spec.rows_are_outputs && view.extent(0) == QueryWidth + 2 * KvWidth) spec.row_parts = {QueryWidth, KvWidth, KvWidth};
    visitor(path, view, spec);
  }
};

}  // namespace stlm::detail
