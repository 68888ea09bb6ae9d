// AdamW in one pass over the flat buffers, and the sum of squares by fixed pieces.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/host_optimizer.hpp>
#include <stlm/ops/optimizer.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// The correctly rounded square root, the same on every machine. On x86, Eigen's own packet function approximates it by an
/// instruction that differs between vendors, and returns 0 for a subnormal number and NaN for infinity.
template <class T>
struct SquareRoot {
  T operator()(T x) const { return std::sqrt(x); }
  template <class P>
  P packetOp(const P& x) const {
#if defined(EIGEN_VECTORIZE_AVX512)
    if constexpr (std::is_same_v<P, Eigen::internal::Packet16f>) return _mm512_sqrt_ps(x);
    if constexpr (std::is_same_v<P, Eigen::internal::Packet8d>) return _mm512_sqrt_pd(x);
#endif
#if defined(EIGEN_VECTORIZE_AVX)
    if constexpr (std::is_same_v<P, Eigen::internal::Packet8f>) return _mm256_sqrt_ps(x);
#endif
#if defined(EIGEN_VECTORIZE_SSE)
    if constexpr (std::is_same_v<P, Eigen::internal::Packet4f>) return _mm_sqrt_ps(x);
#endif
    return Eigen::internal::psqrt(x);
  }
};

}  // namespace stlm::eigen

template <class T>
struct Eigen::internal::functor_traits<stlm::eigen::SquareRoot<T>> {
  enum { Cost = 20, PacketAccess = packet_traits<T>::HasSqrt };
};

namespace stlm::ops::impl {

template <>
struct Optimizer<EigenBackend> : HostOptimizer {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void adamw(Ctx& ctx, const StepState<T>* state, T* weights, T* grads, T* first, T* second, Index size,
                    const UpdateOptions& options) {
    const AdamWNumbers<T> s = state->numbers;
    if (s.skip) return;
    const T decay = options.decays ? s.decay : T(0);
    Bfloat16* const rounded = options.rounded.data();
    ctx.for_pieces(size, eigen::grain, [=, clears = options.clears](Index begin, Index end, int) {
      constexpr Index strip = 1024;  // short enough for all arrays to stay in L1 between two statements
      for (Index i = begin; i < end; i += strip) {
        const Index width = std::min(strip, end - i);
        auto w = eigen::array(weights + i, width), g = eigen::array(grads + i, width);
        auto m = eigen::array(first + i, width), v = eigen::array(second + i, width);
        m = s.beta1 * m + (1 - s.beta1) * (s.clip * g);
        v = s.beta2 * v + (1 - s.beta2) * (s.clip * g).square();
        w -= s.rate * m / ((s.correct2 * v).unaryExpr(eigen::SquareRoot<T>{}) + s.eps) + decay * w;
        if (clears) g.setZero();
        for (Index j = i; rounded && j < i + width; ++j) rounded[j] = Bfloat16(static_cast<float>(weights[j]));
      }
    });
  }
  template <class T>
  static void momentum(Ctx& ctx, const StepState<T>* state, View<T, dynamic> g, T mu, View<T, dynamic> m, View<T, dynamic> u,
                       bool clears) {
    const T clip = state->numbers.clip;
    if (state->numbers.skip) return;
    ctx.for_pieces(g.size(), eigen::grain, [=](Index begin, Index end, int) {
      for (Index i = begin; i < end; ++i) {
        const T gradient = clip * g(i);
        m(i) = mu * m(i) + gradient;
        u(i) = gradient + mu * m(i);
        if (clears) g(i) = T(0);
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

#pragma GCC diagnostic pop
