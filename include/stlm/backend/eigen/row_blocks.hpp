// Sums over rows, such as gradients of parameters: partial sums of fixed blocks of rows, added in order.
#pragma once

#include <algorithm>

#include <stlm/backend/eigen/context.hpp>

namespace stlm::eigen {

/// Calls f(begin, end, partial, row) for blocks of rows, where `partial` points to `width` zeros of the block's own and `row`
/// to room for `width` numbers; then adds all partials to `sums` in order. The blocks depend on the shape alone.
template <class T, class F>
void sum_row_blocks(Context<EigenBackend>& ctx, Index rows, Index width, T* sums, const F& f) {
  constexpr Index most = std::min(Context<EigenBackend>::shared_bytes, Context<EigenBackend>::scratch_bytes) / Index{sizeof(T)};
  expect(width <= most, "stlm::EigenBackend: expected the gradients of a norm or a learned activation to be at most ", most,
         " numbers, found ", width, ", for which scratch memory has no room; use fewer columns or units.");
  if (width == 0) return;
  const Index blocks = std::clamp<Index>(rows / 32, 1, std::min<Index>(most / width, 32));
  const Index block = std::max<Index>(1, (rows + blocks - 1) / blocks);
  T* const partials = ctx.shared<T>();
  ctx.for_pieces(rows, block, [&](Index begin, Index end, int worker) {
    T* const partial = partials + begin / block * width;
    std::fill_n(partial, width, T(0));
    f(begin, end, partial, ctx.scratch<T>(worker));
  });
  for (Index begin = 0; begin < rows; begin += block) array(sums, width) += array(partials + begin / block * width, width);
}

}  // namespace stlm::eigen
