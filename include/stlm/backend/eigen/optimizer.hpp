// AdamW in one pass over the flat buffers, and the sum of squares by fixed pieces.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::ops::impl {

template <>
struct Optimizer<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void adamw(Ctx& ctx, T* weights, const T* grads, T* first, T* second, Index size, const AdamWStep& s) {
    const auto steps = static_cast<double>(s.step);
    const T b1 = T(s.beta1), b2 = T(s.beta2), eps = T(s.eps), decay = T(s.lr * s.weight_decay);
    const T rate = T(s.lr / (1 - std::pow(s.beta1, steps))), correct2 = T(1 / (1 - std::pow(s.beta2, steps)));
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      constexpr Index strip = 1024;  // all four streams stay in L1 between the three statements
      for (Index i = begin; i < end; i += strip) {
        const Index width = std::min(strip, end - i);
        auto w = eigen::array(weights + i, width), m = eigen::array(first + i, width), v = eigen::array(second + i, width);
        const auto g = eigen::array(grads + i, width);
        m = b1 * m + (1 - b1) * g;
        v = b2 * v + (1 - b2) * g.square();
        w -= rate * m / ((correct2 * v).sqrt() + eps) + decay * w;
      }
    });
  }

  template <class T>
  static double sum_squares(Ctx& ctx, const T* x, Index size) {
    constexpr Index most = Ctx::shared_bytes / static_cast<Index>(sizeof(double));
    const Index piece = std::max(eigen::grain, (size + most - 1) / most);
    double* const partial = ctx.shared<double>();
    ctx.for_pieces(size, piece, [=](Index begin, Index end, int) {
      constexpr Index lanes = 16;  // running sums, which compilers keep in vector registers
      Eigen::Array<double, lanes, 1> lane = Eigen::Array<double, lanes, 1>::Zero();
      Index i = begin;
      for (; i + lanes <= end; i += lanes)
        for (Index j = 0; j < lanes; ++j) lane[j] += static_cast<double>(x[i + j]) * static_cast<double>(x[i + j]);
      for (; i < end; ++i) lane[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      partial[begin / piece] = lane.sum();
    });
    double sum = 0;
    for (Index i = 0; i * piece < size; ++i) sum += partial[i];
    return sum;
  }
};

}  // namespace stlm::ops::impl
