// RMSNorm and LayerNorm, a few rows at a time. The gradient of the gain is made of partial sums of fixed row blocks, which are
// added in order; that of the bias is a sum_rows.
#pragma once

#include <stlm/backend/eigen/elementwise.hpp>
#include <stlm/backend/eigen/row_blocks.hpp>
#include <stlm/ops/norm.hpp>

namespace stlm::eigen {

/// Calls the first stage for four rows, then the next stage for the same four rows, and so on. The processor works on the sums
/// of four rows at once, so a stage need not wait for the sums of the stage before.
template <class... Stages>
void norm_stages(Context<EigenBackend>& ctx, Index rows, const Stages&... stages) {
  ctx.for_pieces(rows, 32, [&](Index begin, Index end, int) {
    for (Index first = begin; first < end; first += 4) {
      const auto run = [&](const auto& stage) {
        for (Index n = first; n < std::min(first + 4, end); ++n) stage(n);
      };
      (run(stages), ...);
    }
  });
}

}  // namespace stlm::eigen

namespace stlm::ops::impl {

template <>
struct RmsNorm<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void forward(Ctx& ctx, MatrixView<const T> x, const T* gain, MatrixView<T> y, T* rstd, double eps) {
    eigen::norm_stages(
        ctx, x.rows, [=](Index n) { rstd[n] = reciprocal_root(x.row(n), x.cols, eps); },
        [=](Index n) { scale(x.row(n), rstd[n], gain, y.row(n), x.cols); });
  }
  template <class T>
  static void add_forward(Ctx& ctx, MatrixView<const T> x, MatrixView<const T> addend, const T* gain, MatrixView<T> sum,
                          MatrixView<T> y, T* rstd, double eps) {
    const Index width = x.cols;
    eigen::norm_stages(
        ctx, x.rows,
        [=](Index n) {
          eigen::array(sum.row(n), width) = eigen::array(x.row(n), width) + eigen::array(addend.row(n), width);
          rstd[n] = reciprocal_root<T>(sum.row(n), width, eps);
        },
        [=](Index n) { scale<T>(sum.row(n), rstd[n], gain, y.row(n), width); });
  }
  template <class T>
  static void backward(Ctx& ctx, MatrixView<const T> x, const T* gain, const T* rstd, MatrixView<const T> dy, MatrixView<T> dx,
                       T* dgain, bool accumulate) {
    const Index width = x.cols;
    eigen::sum_row_blocks(ctx, x.rows, width, dgain, [=](Index begin, Index end, T* partial, T*) {
      const auto g = eigen::array(gain, width);
      for (Index n = begin; n < end; ++n) {
        const auto row = eigen::array(x.row(n), width), grad = eigen::array(dy.row(n), width);
        const T r = rstd[n], dot = (grad * row * g).sum() * r * r * r / static_cast<T>(width);
        auto out = eigen::array(dx.row(n), width);
        eigen::array(partial, width) += grad * row * r;
        if (accumulate)
          out += grad * g * r - row * dot;
        else
          out = grad * g * r - row * dot;
      }
    });
  }

 private:
  template <class T>
  static T reciprocal_root(const T* row, Index width, double eps) {
    return T(1) / std::sqrt(eigen::array(row, width).square().sum() / static_cast<T>(width) + static_cast<T>(eps));
  }
  template <class T>
  static void scale(const T* row, T rstd, const T* gain, T* y, Index width) {
    eigen::array(y, width) = eigen::array(row, width) * rstd * eigen::array(gain, width);
  }
};

template <>
struct LayerNorm<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void forward(Ctx& ctx, MatrixView<const T> x, const T* gain, const T* bias, MatrixView<T> y, T* mean, T* rstd,
                      double eps) {
    const Index width = x.cols;
    const auto row = [=](Index n) { return eigen::array(x.row(n), width); };
    eigen::norm_stages(
        ctx, x.rows,  // times one: Eigen would sum plain memory in an order that depends on its address
        [=](Index n) { mean[n] = (row(n) * T(1)).sum() / static_cast<T>(width); },
        [=](Index n) {
          const T variance = (row(n) - mean[n]).square().sum() / static_cast<T>(width);
          rstd[n] = T(1) / std::sqrt(variance + static_cast<T>(eps));
        },
        [=](Index n) {
          const auto scaled = (row(n) - mean[n]) * rstd[n] * eigen::array(gain, width);
          if (bias)
            eigen::array(y.row(n), width) = scaled + eigen::array(bias, width);
          else
            eigen::array(y.row(n), width) = scaled;
        });
  }
  template <class T>
  static void backward(Ctx& ctx, MatrixView<const T> x, const T* gain, const T* mean, const T* rstd, MatrixView<const T> dy,
                       MatrixView<T> dx, T* dgain, T* dbias, bool accumulate) {
    const Index width = x.cols;
    eigen::sum_row_blocks(ctx, x.rows, width, dgain, [=](Index begin, Index end, T* partial, T* weighted) {
      for (Index n = begin; n < end; ++n) {
        const auto xhat = (eigen::array(x.row(n), width) - mean[n]) * rstd[n];
        const auto grad = eigen::array(dy.row(n), width);
        auto w = eigen::array(weighted, width);
        w = grad * eigen::array(gain, width);
        const T sum = w.sum() / static_cast<T>(width), dot = (w * xhat).sum() / static_cast<T>(width);
        auto out = eigen::array(dx.row(n), width);
        eigen::array(partial, width) += grad * xhat;
        if (accumulate)
          out += rstd[n] * (w - sum - xhat * dot);
        else
          out = rstd[n] * (w - sum - xhat * dot);
      }
    });
    if (dbias) Elementwise<EigenBackend>::sum_rows(ctx, dy, dbias);
  }
};

}  // namespace stlm::ops::impl
