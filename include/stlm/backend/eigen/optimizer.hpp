// AdamW in one pass over the flat buffers, and the sum of squares by fixed pieces.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/host_optimizer.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::ops::impl {

template <>
struct Optimizer<EigenBackend> : HostOptimizer {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void adamw(Ctx& ctx, T* weights, const T* grads, T* first, T* second, Index size, const AdamWStep& step) {
    const auto s = AdamWNumbers<T>::of(step);
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      for_strips(begin, end, [=](Index i, Index width) {
        update(s, s.decay, weights + i, eigen::array(grads + i, width), first + i, second + i, width);
      });
    });
  }
  /// One pass with clipping, zeroing and rounding in it.
  template <class T>
  static void adamw_step(Ctx& ctx, const StepState<T>* state, T* weights, T* grads, T* first, T* second, Index size,
                         bool decays, Bfloat16* rounded) {
    const AdamWNumbers<T> s = state->numbers;
    if (s.skip) return;
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      for_strips(begin, end, [=](Index i, Index width) {
        auto g = eigen::array(grads + i, width);
        g *= s.clip;
        update(s, decays ? s.decay : T(0), weights + i, g, first + i, second + i, width);
        g.setZero();
        for (Index j = i; rounded && j < i + width; ++j) rounded[j] = Bfloat16(static_cast<float>(weights[j]));
      });
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

 private:
  /// f(first, width) for strips so short that all streams stay in L1 between two statements.
  template <class F>
  static void for_strips(Index begin, Index end, const F& f) {
    constexpr Index strip = 1024;
    for (Index i = begin; i < end; i += strip) f(i, std::min(strip, end - i));
  }
  template <class T, class Gradient>
  static void update(const AdamWNumbers<T>& s, T decay, T* weights, const Gradient& g, T* first, T* second, Index width) {
    auto w = eigen::array(weights, width), m = eigen::array(first, width), v = eigen::array(second, width);
    m = s.beta1 * m + (1 - s.beta1) * g;
    v = s.beta2 * v + (1 - s.beta2) * g.square();
    w -= s.rate * m / ((s.correct2 * v).sqrt() + s.eps) + decay * w;
  }
};

}  // namespace stlm::ops::impl
