// Prefetching of weights that are read once, in addition to the processor's own. Memory is fastest for a single stream, so
// where several contiguous rows are read side by side, their cache lines are prefetched in memory order.
#pragma once

#include <cstdint>

#include <stlm/backend/eigen/eigen_core.hpp>
#include <stlm/core/config.hpp>

namespace stlm::eigen {

inline constexpr Index stream_ahead = 16384;  ///< bytes

/// Whether prefetches into L1 delay the loads beside them, as they do on a Zen 4, but not on a Zen 5. Where they do, one row
/// after another, without prefetches, is the fastest way to read, and tiles of several rows prefetch into L2. GCC 12 does not
/// know these processors by name: of AMD's, which have SSE4A, those with AVX-512 begin with the Zen 4, those with AVX-VNNI
/// with the Zen 5.
#if defined(__SSE4A__) && defined(__AVX512F__) && !defined(__AVXVNNI__) && !defined(__AVX512VP2INTERSECT__)
inline constexpr bool l1_prefetches_delay = true;
#else
inline constexpr bool l1_prefetches_delay = false;
#endif

/// The last argument of __builtin_prefetch.
template <bool IntoL2>
inline constexpr int locality = IntoL2 ? 2 : 3;

/// Prefetches the cache line `stream_ahead` bytes after `data`; returns `data`. Always inlined, as innermost loops call it.
template <bool IntoL2 = false, class T>
EIGEN_ALWAYS_INLINE const T* streamed(const T* data) {
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::intptr_t>(data) + stream_ahead), 0,
                     locality<IntoL2>);
  return data;
}

/// Prefetches `count` numbers from `data` on.
template <bool IntoL2 = false, class T>
EIGEN_ALWAYS_INLINE void prefetch_row(const T* data, Index count) {
  const auto begin = reinterpret_cast<std::intptr_t>(data), end = begin + count * Index{sizeof(T)};
  for (auto at = begin; at < end; at += 64) __builtin_prefetch(reinterpret_cast<const void*>(at), 0, locality<IntoL2>);
}

/// What to prefetch while `read` bytes of each of several rows are read, in bytes: one cache line per row, the first `ahead` of
/// the first row, the others `apart` from each other. All of them move on by `next` for the next `read` bytes.
struct StreamSteps {
  Index ahead, apart, next;

  /// For contiguous rows, in memory order.
  static constexpr StreamSteps in_order(int rows, Index read) { return {stream_ahead, read, rows * read}; }
  static constexpr StreamSteps along_rows(Index ahead, Index stride, Index read) { return {ahead, stride, read}; }
};

/// Prefetches by StreamSteps, into L1 or L2. Addresses are integers, as those ahead may be outside of the array.
template <int Rows, bool IntoL2 = false>
class Stream {
 public:
  EIGEN_ALWAYS_INLINE Stream(const void* rows, const StreamSteps& steps)
      : at_(reinterpret_cast<std::intptr_t>(rows) + steps.ahead), apart_(steps.apart), next_(steps.next) {}

  EIGEN_ALWAYS_INLINE void prefetch() const {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r)
      __builtin_prefetch(reinterpret_cast<const void*>(at_ + r * apart_), 0, locality<IntoL2>);
  }
  EIGEN_ALWAYS_INLINE void go_on() { at_ += next_; }

 private:
  std::intptr_t at_;
  Index apart_, next_;
};

}  // namespace stlm::eigen
