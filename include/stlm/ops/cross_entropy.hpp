// Softmax cross-entropy over the vocabulary, fused: probabilities are never stored.
//
//   loss_n = lse_n - logits[n, target_n],   lse_n = log sum_v exp(logits[n, v])
//   dlogits[n, v] = scale (exp(logits[n, v] - lse_n) - [v == target_n])
//
// Rows whose target is `ignore` have loss 0 and gradient 0. Losses and lse hold compute_t<T>, where T is the scalar of the
// logits.
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

/// The sum of the losses, and the number of rows that count, those whose target is not `ignore`. While a GPU
/// records a step, neither can come back: {0, -1}.
template <class T>
struct LossSum {
  T sum;
  Index count;
  T mean() const { return count ? sum / T(static_cast<real_t<T>>(count)) : T(0); }
};

namespace detail {
inline void expect_a_loss_for_each(const char* where, Index rows, Index targets, Index losses, Index lse) {
  expect(targets == rows && losses == rows && lse == rows, "stlm::ops::", where, ": ", rows, " rows of logits, ", targets,
         " targets, room for ", losses, " losses and ", lse, " logarithms of sums; all must be equal.");
}
}  // namespace detail

namespace impl {
template <class Backend>
struct CrossEntropy : MissingBackend<Backend> {};
}  // namespace impl

/// logits (N, V), targets (N) -> losses (N) in nats, lse (N), and the sum of the losses in a fixed order. Throws Error for a
/// target outside the vocabulary.
template <class Backend, class Logits, class Losses, class T = typename Logits::value_type>
LossSum<compute_t<T>> cross_entropy_forward(Context<Backend>& ctx, const Logits& logits,
                                            View<const Token, dynamic, dynamic> targets, Token ignore,
                                            const Losses& losses, const Losses& lse) {
  const MatrixView<const T> rows(logits);
  detail::expect_a_loss_for_each("cross_entropy_forward", rows.rows, targets.size(), losses.size(), lse.size());
  return impl::CrossEntropy<Backend>::template forward<T>(ctx, rows, targets.data(), ignore, losses.data(), lse.data());
}

/// After forward: overwrites the logits with their gradient times `scale` (1 / number of targets that count).
template <class Backend, class Logits, class Lse>
void cross_entropy_backward(Context<Backend>& ctx, const Logits& logits, View<const Token, dynamic, dynamic> targets,
                            Token ignore, const Lse& lse, double scale) {
  using T = typename Logits::value_type;
  const MatrixView<T> rows(logits);
  detail::expect_a_loss_for_each("cross_entropy_backward", rows.rows, targets.size(), rows.rows, lse.size());
  impl::CrossEntropy<Backend>::template backward<T>(ctx, rows, targets.data(), ignore, lse.data(), scale);
}

/// Forward and backward in one. A backend may do both row by row, so that backward finds each row of logits in cache.
template <class Backend, class Logits, class Losses, class T = typename Logits::value_type>
LossSum<compute_t<T>> cross_entropy_forward_backward(Context<Backend>& ctx, const Logits& logits,
                                                     View<const Token, dynamic, dynamic> targets, Token ignore,
                                                     const Losses& losses, const Losses& lse, double scale) {
  const MatrixView<T> rows(logits);
  detail::expect_a_loss_for_each("cross_entropy_forward_backward", rows.rows, targets.size(), losses.size(), lse.size());
  return impl::CrossEntropy<Backend>::template forward_backward<T>(ctx, rows, targets.data(), ignore, losses.data(),
                                                                   lse.data(), scale);
}

}  // namespace stlm::ops
