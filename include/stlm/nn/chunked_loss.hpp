// ChunkedLoss<Head>: the cross-entropy of a head's logits and its gradients, Head::rows_at_once rows at a time.
//
// With a vocabulary of bytes all rows are computed at once. With 50,257 tokens all logits would take more memory than the rest
// of the model: one chunk of rows is projected, scored, turned into its gradient and multiplied back before the next. Forward
// does not keep the chunks, so a separate backward projects each again: one of its three products. `both`, forward and backward
// in one, saves that product, and reads the logits once.
#pragma once

#include <stlm/nn/head.hpp>
#include <stlm/ops/cross_entropy.hpp>

namespace stlm {

/// The targets of logits of scalar T, and memory for the loss and the log-sum-exp of each row, in nats.
template <class T>
struct Scored {
  View<const Token, dynamic, dynamic> targets;
  Token ignore;  ///< a target that does not count
  View<compute_t<T>, dynamic> losses, lse;
};

template <class Head>
struct ChunkedLoss {
  template <class T>
  using Params = typename Head::template Params<T>;
  template <class T>
  using Cache = typename Head::template Cache<T>;
  using Norm = typename Head::Norm;

  /// x (N, C). Fills `scored.losses` and `scored.lse`.
  template <class B, class P, class T>
  static ops::LossSum<compute_t<T>> forward(Context<B>& ctx, const P& p, const Pass& pass, Rows<const T, Head::dim> x,
                                            const Scored<T>& scored, const Cache<T>& cache) {
    Norm::forward(ctx, p.norm, pass, x, cache.normed, cache.norm);
    ops::LossSum<compute_t<T>> sum{};
    for_chunks(pass, cache, scored, [&](const auto& chunk) { chunk.score(ctx, p, sum); });
    return sum;
  }
  /// Adds d(scale * sum of losses)/d(parameters) to `grads` and overwrites dx. Needs the results of `forward`.
  template <class B, class P, class T, class G>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, Rows<const T, Head::dim> x, Rows<T, Head::dim> dx,
                       const Scored<T>& scored, const Cache<T>& cache, const G& grads, double scale) {
    const bool kept = Head::template rows_at_once<T>(pass.rows()) == pass.rows();
    for_chunks(pass, cache, scored, [&](const auto& chunk) {
      if (!kept) Head::project(ctx, p, chunk.normed, chunk.logits);
      chunk.differentiate(ctx, p, grads, scale);
    });
    Norm::backward(ctx, p.norm, pass, x, cache.dnormed, dx, cache.norm, grads.norm);
  }

  /// forward, then backward.
  template <class B, class P, class T, class G>
  static ops::LossSum<compute_t<T>> both(Context<B>& ctx, const P& p, const Pass& pass, Rows<const T, Head::dim> x,
                                         Rows<T, Head::dim> dx, const Scored<T>& scored, const Cache<T>& cache,
                                         const G& grads, double scale) {
    Norm::forward(ctx, p.norm, pass, x, cache.normed, cache.norm);
    ops::LossSum<compute_t<T>> sum{};
    for_chunks(pass, cache, scored, [&](const auto& chunk) { chunk.both(ctx, p, sum, grads, scale); });
    Norm::backward(ctx, p.norm, pass, x, cache.dnormed, dx, cache.norm, grads.norm);
    return sum;
  }

 private:
  template <class T>
  struct Chunk {
    View<T, dynamic, Head::dim> normed, dnormed;
    View<T, dynamic, Head::vocabulary> logits;
    Scored<T> scored;

    template <class B, class P>
    void score(Context<B>& ctx, const P& p, ops::LossSum<compute_t<T>>& sum) const {
      Head::project(ctx, p, normed, logits);
      add(sum, ops::cross_entropy_forward(ctx, logits, scored.targets, scored.ignore, scored.losses, scored.lse));
    }
    /// Turns the logits into their gradient.
    template <class B, class P, class G>
    void differentiate(Context<B>& ctx, const P& p, const G& grads, double scale) const {
      ops::cross_entropy_backward(ctx, logits, scored.targets, scored.ignore, scored.lse, scale);
      Head::project_backward(ctx, p, normed, logits, dnormed, grads);
    }
    template <class B, class P, class G>
    void both(Context<B>& ctx, const P& p, ops::LossSum<compute_t<T>>& sum, const G& grads, double scale) const {
      Head::project(ctx, p, normed, logits);
      add(sum, ops::cross_entropy_forward_backward(ctx, logits, scored.targets, scored.ignore, scored.losses,
                                                   scored.lse, scale));
      Head::project_backward(ctx, p, normed, logits, dnormed, grads);
    }
    static void add(ops::LossSum<compute_t<T>>& sum, const ops::LossSum<compute_t<T>>& part) {
      sum = {sum.sum + part.sum, sum.count + part.count};
    }
  };

  template <class T, class F>
  static void for_chunks(const Pass& pass, const Cache<T>& cache, const Scored<T>& scored, const F& f) {
    const Index rows = pass.rows(), most = Head::template rows_at_once<T>(rows);
    for (Index begin = 0; begin < rows; begin += most) {
      const Index count = std::min(most, rows - begin);
      f(Chunk<T>{{cache.normed.data() + begin * Head::dim, count},
                 {cache.dnormed.data() + begin * Head::dim, count},
                 {cache.logits.data(), count},
                 {{scored.targets.data() + begin, 1, count},
                  scored.ignore,
                  {scored.losses.data() + begin, count},
                  {scored.lse.data() + begin, count}}});
    }
  }
};

}  // namespace stlm
