// The sum of many numbers, or of their squares, in an order that does not depend on the GPU.
#pragma once

#include <stlm/backend/cuda/kernels/piece_sum.hpp>

namespace stlm::gpu {

/// Item i of sum_pieces: the sum of W numbers, or of their squares.
template <class T, int W, bool Squared>
struct SumOf {
  static constexpr const char* name = Squared ? "sum_squares" : "sum";
  static constexpr int sums = 1;
  Span<const T> x;

  template <class Exec>
  STLM_KERNEL Numbers<double, 1> operator()(Exec& e, Index i) const {
    Numbers<double, 1> sum{{0}};
    const auto some = load_numbers<W>(e, x, i * W);
    unroll<W>([&](int j) { sum[0] += of(some[j]); });
    return sum;
  }
  /// The sum of the remaining numbers, fewer than W.
  template <class Exec>
  STLM_KERNEL double rest(Exec& e) const {
    double sum = 0;
    for (Index k = x.size / W * W; k < x.size; ++k) sum += of(e.load(x, k));
    return sum;
  }
  static STLM_KERNEL double of(T number) {
    const auto value = static_cast<double>(number);
    return Squared ? value * value : value;
  }
};

/// The sum of x, or of its squares, on the device.
template <bool Squared, class B, class T>
Span<const Numbers<double, 1>> sum(Context<B>& ctx, Scratch<B>& scratch, Span<const T> x) {
  auto* const to = scratch.template take<Numbers<double, 1>>(1);
  by_packets<Packet<T>::size>(aligned(x.data), [&]<int W>(Constant<W>) {
    sum_pieces(ctx, scratch, SumOf<T, W, Squared>{x}, x.size / W, to);
  });
  return {to, 1};
}

}  // namespace stlm::gpu
