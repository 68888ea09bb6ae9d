// Routing: the experts of each row, by softmax and choice of the largest, with a thread for each row, since a row has only
// one number for each expert; and the slot of each routed row, from the routed rows sorted by expert.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

/// p = softmax(logits) in place. Chooses the K largest of each row, the first of equals, and stores these experts, also as
/// ids to be sorted, and their gates. Memory traffic: the logits in and out, and the choice.
template <class T>
struct RouteRows {
  static constexpr const char* name = "route";
  static constexpr int threads = 128;
  using Real = compute_t<T>;

  Span<T> probabilities, gates;
  Span<Index> experts;
  Span<Token> ids;
  Index rows;
  int num_experts, chosen;
  bool renormalize;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * threads + t, row = n * num_experts, first = n * chosen;
      if (n >= rows) return;
      const auto p = [&](Index i) { return load_number(e, probabilities, row + i); };  // a logit until p is stored
      Real top = p(0), sum = 0, chosen_sum = renormalize ? 0 : 1;
      for (int i = 1; i < num_experts; ++i) top = p(i) > top ? p(i) : top;
      for (int i = 0; i < num_experts; ++i) sum += std::exp(p(i) - top);
      for (int j = 0; j < chosen; ++j) {
        const int best = largest_left(e, p, sum == sum, first, j);
        e.store(experts, first + j, Index{best});
        e.store(ids, first + j, Token{best});
      }
      for (int i = 0; i < num_experts; ++i) store_number(e, probabilities, row + i, std::exp(p(i) - top) / sum);
      const auto chosen_p = [&](int j) { return p(e.load(ids, first + j)); };
      if (renormalize)
        for (int j = 0; j < chosen; ++j) chosen_sum += chosen_p(j);
      for (int j = 0; j < chosen; ++j) store_number(e, gates, first + j, chosen_p(j) / chosen_sum);
      e.flops(5 * num_experts + 2 * chosen);
    });
  }

 private:
  /// The expert with the largest p, the first of equals, among those not yet chosen; `taken` are. Unless p is `known`, which
  /// it is not if the sum is NaN: the first expert not yet chosen.
  template <class Exec, class P>
  STLM_KERNEL int largest_left(Exec& e, const P& p, bool known, Index first, int taken) const {
    int best = -1;
    for (int i = 0; i < num_experts; ++i) {
      bool free = true;
      for (int j = 0; j < taken; ++j) free = free && e.load(Span<const Token>(ids), first + j) != i;
      if (free && (best < 0 || (known && p(i) > p(best)))) best = i;
    }
    return best;
  }
};

/// Computes, from the routed rows sorted by expert, the slot of each routed row and where the rows of each expert begin. A
/// thread for each routed row, and one for the end.
struct FillSlots {
  static constexpr const char* name = "fill_slots";
  static constexpr int threads = 256;

  Span<const Token> ids;               // sorted
  Span<const std::int32_t> positions;  // of each id before sorting
  Span<Index> slots, offsets;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index i = e.block() * threads + t;
      if (i > ids.size) return;
      if (i < ids.size) e.store(slots, e.load(positions, i), i);
      const Index before = i == 0 ? -1 : e.load(ids, i - 1), now = i == ids.size ? offsets.size - 1 : e.load(ids, i);
      for (Index expert = before + 1; expert <= now; ++expert) e.store(offsets, expert, i);
    });
  }
};

/// Computes the load balance from the sums of the probabilities over rows.
template <class T>
struct LoadBalance {
  static constexpr const char* name = "load_balance";
  static constexpr int threads = warp;

  Span<const T> sums;
  Span<const Index> offsets;
  Span<T> balance;
  Index rows;
  int chosen;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    PerThread<Exec, T> total;
    e.each([&](int t) {
      total[t] = 0;
      for (Index i = t; i < sums.size; i += warp)
        total[t] += static_cast<T>(e.load(offsets, i + 1) - e.load(offsets, i)) / static_cast<T>(rows * chosen) *
                    e.load(sums, i);
    });
    sum_warp(e, total);
    e.each([&](int t) {
      if (t == 0) e.store(balance, 0, total[t] * static_cast<T>(sums.size) / static_cast<T>(rows));
    });
  }
};

}  // namespace stlm::gpu
