// Where the product C of few_rows.hpp goes. Each warp has one column of C; the warps of a block have adjacent columns.
#pragma once

#include <stlm/backend/cuda/kernels/turn.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// C, in memory.
template <class T>
struct Stored {
  using value_type = T;
  Span<const T> addend;  // with C's stride; may be C itself, or empty
  Span<T> c;
  Index stride;

  struct Shared {};
  /// Stores the first `rows` sums of each warp's column.
  template <class Exec, class Sums>
  STLM_KERNEL void put(Exec& e, Shared&, Sums& sum, int rows, Index first_col, int cols) const {
    e.each([&](int t) {
      const Index col = first_col + t / warp;
      if (t % warp != 0 || col >= cols) return;
      unroll<Sums::size>([&](int m) {
        if (m >= rows) return;
        const Index i = m * stride + col;
        if (addend.data) sum[m][t] += load_number(e, addend, i);
        e.store(c, i, static_cast<T>(sum[m][t]));
      });
    });
  }
};
/// Rows of [queries | keys | values]: queries are rotated and stored, keys are rotated and written to one cache, values are
/// written to another (kernels/rope.hpp). Pairs are (2i, 2i + 1).
template <class T>
struct TurnedIntoCaches {
  using value_type = T;
  Span<T> c;
  Index stride;
  PairTurns turns;
  Span<const Place> places;  // empty: all at `position`
  Index position, tokens;    // tokens of each sequence, whose rows lie one after another
  IntoCaches<T> caches;
  int key_width;

  using Real = compute_t<T>;
  struct Shared {
    SharedArray<Real, 32> sum;  // (M, columns of the block)
  };
  template <class Exec, class Sums>
  STLM_KERNEL void put(Exec& e, Shared& shared, Sums& sum, int rows, Index first_col, int cols) const {
    constexpr int n = Exec::threads / warp;
    static_assert(Sums::size * n <= 32);
    e.phase([&](int t) {
      if (t % warp != 0) return;
      unroll<Sums::size>([&](int m) { shared.sum[m * n + t / warp] = static_cast<Real>(static_cast<T>(sum[m][t])); });
    });
    e.each([&](int t) {
      const int m = t / (n / 2), pair = t % (n / 2), col = static_cast<int>(first_col) + 2 * pair;
      if (m >= rows || col >= cols) return;
      const int query_width = caches.queries * turns.head_size, behind = col - query_width;
      const Place place = places.data ? e.load(places, m / tokens) : Place{m / tokens, position};
      const Index at = place.position + m % tokens;
      Real x = shared.sum[m * n + 2 * pair], y = shared.sum[m * n + 2 * pair + 1];
      if (behind < key_width) turn_pair(x, y, turn<Real>(static_cast<double>(at) * turns(col % turns.head_size / 2)));
      const auto store = [&](Span<T> to, Index i) {
        e.store(to, i, static_cast<T>(x));
        e.store(to, i + 1, static_cast<T>(y));
      };
      const Index of_cache = (place.sequence * caches.capacity + at) * key_width;
      if (behind < 0)
        store(c, m * stride + col);
      else if (behind < key_width)
        store(caches.keys, of_cache + behind);
      else
        store(caches.values, of_cache + behind - key_width);
    });
  }
};

}  // namespace stlm::gpu
