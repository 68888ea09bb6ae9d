// A learned activation, in strips that stay in L1. Gradients of the network are partial sums of fixed blocks, added in order.
#pragma once

#include <array>

#include <stlm/backend/eigen/row_blocks.hpp>
#include <stlm/ops/learned_activation.hpp>

namespace stlm::ops::impl {

template <>
struct LearnedActivation<EigenBackend> {
  using Ctx = Context<EigenBackend>;
  static constexpr Index strip = 256;
  template <class T>
  using Strip = Eigen::Array<T, Eigen::Dynamic, 1, 0, strip, 1>;

  template <class T>
  static void forward(Ctx& ctx, const T* x, const ReluNetwork<T>& f, T* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      for (Index i = begin; i < end; i += strip) {
        const auto in = eigen::array(x + i, std::min(strip, end - i));
        Strip<T> sum = Strip<T>::Constant(in.size(), *f.b2);
        for (Index j = 0; j < f.hidden; ++j) {
          const T w1 = f.w1[j], b1 = f.b1[j], w2 = f.w2[j];
          for (Index k = 0; k < in.size(); ++k) {
            const T h = w1 * in[k] + b1;
            sum[k] += w2 * (h <= 0 ? T(0) : h);  // so that NaN stays NaN
          }
        }
        eigen::array(y + i, in.size()) = sum;
      }
    });
  }
  template <class T>
  static void backward(Ctx& ctx, const T* x, const ReluNetwork<T>& f, const T* dy, T* dx, Index size,
                       const ReluNetwork<T>& grads) {
    std::array<T, 2 * ReluNetwork<T>::most + 1> sums{};
    eigen::sum_row_blocks(ctx, size, 2 * f.hidden + 1, sums.data(), [=](Index begin, Index end, T* partial, T*) {
      for (Index i = begin; i < end; i += strip) {
        const auto in = eigen::array(x + i, std::min(strip, end - i));
        const Strip<T> d = eigen::array(dy + i, in.size());
        Strip<T> sum = Strip<T>::Zero(in.size()), active(in.size());
        for (Index j = 0; j < f.hidden; ++j) {
          const T w1 = f.w1[j], b1 = f.b1[j];
          for (Index k = 0; k < in.size(); ++k) active[k] = w1 * in[k] + b1 > 0 ? d[k] : T(0);
          sum += f.w2[j] * w1 * active;
          partial[j] += active.sum();
          partial[f.hidden + j] += (active * in).sum();
        }
        partial[2 * f.hidden] += d.sum();
        eigen::array(dx + i, in.size()) = sum;
      }
    });
    add_network_gradients(f, sums.data(), grads);
  }
};

}  // namespace stlm::ops::impl
