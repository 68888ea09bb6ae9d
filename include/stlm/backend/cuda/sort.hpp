// A stable sort of ids, which tells from which rows an embedding's row gets its gradient, or which rows an expert gets.
#pragma once

#include <thrust/copy.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>

#include <stlm/backend/cuda/thrust.hpp>

namespace stlm::gpu {

struct SortedIds {
  Span<const Token> ids;
  Span<const std::int32_t> positions;  ///< of each id before the sort
};

/// Kernels must be able to read `ids`.
template <class Backend>
SortedIds sorted(Context<Backend>& ctx, Scratch<Backend>& scratch, const Token* ids, Index count) {
  Token* const keys = scratch.template take<Token>(count);
  std::int32_t* const positions = scratch.template take<std::int32_t>(count);
  run_thrust(ctx, scratch, [&](const auto& policy) {
    thrust::copy_n(policy, ids, count, keys);
    thrust::sequence(policy, positions, positions + count);
    thrust::stable_sort_by_key(policy, keys, keys + count, positions);
  });
  return {{keys, count}, {positions, count}};
}

}  // namespace stlm::gpu
