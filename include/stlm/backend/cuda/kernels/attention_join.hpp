// The second half of attention_decode.hpp: joins, in order, what its blocks computed for parts of the keys.
#pragma once

#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/kernels/attention_rows.hpp>

namespace stlm::gpu {

/// A warp for each query and head. Bound by reading the parts, which are small compared with the keys and values.
template <class T>
struct AttentionJoin {
  static constexpr const char* name = "attention_join";
  static constexpr int threads = 128, rows_of_block = threads / warp;
  using Real = compute_t<T>;

  AttentionNumbers shape;
  Span<const Real> parts;
  HeadRows<T> out;
  Span<Real> lse;
  int splits;

  Index blocks() const { return ceil_div(shape.rows(), rows_of_block); }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const int row = static_cast<int>(e.block()) * rows_of_block + t / warp, D = shape.head_size;
      if (row >= shape.rows()) return;
      const auto part = [&](int split) { return (static_cast<Index>(row) * splits + split) * (D + 2); };
      Real top = -INFINITY, sum = 0;
      for (int s = 0; s < splits; ++s) top = Max{}(top, e.load(parts, part(s)));
      for (int s = 0; s < splits; ++s) sum += weight(e, part(s), top) * e.load(parts, part(s) + 1);
      const int i = row % shape.queries, h = row / shape.queries % shape.heads, b = row / shape.queries / shape.heads;
      for (int c = t % warp; c < D; c += warp) {
        Real mixed = 0;
        for (int s = 0; s < splits; ++s)
          if (const Real w = weight(e, part(s), top); w != 0) mixed += w * e.load(parts, part(s) + 2 + c);
        store_number(e, out.numbers, out.at(b, i, h) + c, sum == 0 ? Real(0) : mixed / sum);
      }
      if (t % warp == 0) e.store(lse, row, top + std::log(sum));
    });
  }

 private:
  /// The weight of a part among all; 0 if its block saw no key.
  template <class Exec>
  STLM_KERNEL Real weight(Exec& e, Index part, Real top) const {
    const Real mine = e.load(parts, part);
    return mine == -INFINITY ? Real(0) : std::exp(mine - top);
  }
};

}  // namespace stlm::gpu
