// WithReconstruction<Weight>: the second loss of the reference's models over patches.
//
//   loss = mean cross-entropy of the next patches + Weight * that of Head(x_s) on patch s itself
//
// Instead of the core's state the head reads the pooled vector x_s, and predicts the patch that x_s was pooled from. This is a
// policy of PatchModel; NoReconstruction is the policy without a second loss.
#pragma once

#include <type_traits>

#include <stlm/core/batch.hpp>
#include <stlm/core/host_copy.hpp>
#include <stlm/core/module.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/patches.hpp>

namespace stlm {

struct NoReconstruction {
  template <class Head>
  struct Of {
    static constexpr bool exists = false;
    template <class T>
    using Cache = Empty;

    template <class A>
    static constexpr void plan(A&, Empty&, const Pass&) {}
  };
};

template <int Weight = 1>
struct WithReconstruction {
  template <class Head>
  struct Of {
    static constexpr bool exists = true;
    static constexpr Index dim = Head::dim;
    using Slots = View<const Token, dynamic, dynamic>;

    template <class T>
    struct Cache {
      View<compute_t<T>, dynamic> losses, lse;
      View<T, dynamic, dim> d;
      View<compute_t<T>, 1> mean;  // loss of the last forward
      typename Head::template Cache<T> head;
    };

    template <class A, class C>
    static constexpr void plan(A& arena, C& cache, const Pass& pass) {
      arena.temp(cache.d, pass.rows());
      arena.keep(cache.mean);
      Head::plan(arena, cache.head, pass);
      arena.keep(cache.losses, cache.head.logits.extent(0));
      arena.keep(cache.lse, cache.head.logits.extent(0));
    }
    /// `score(cache, scale)` fills the losses of the logits and returns their sum.
    template <class B, class P, class T, class Score>
    static void forward(Context<B>& ctx, const P& p, const Pass& pass,
                        std::type_identity_t<Rows<const T, dim>> x, Slots tokens, const Cache<T>& cache, const Score& score) {
      Head::forward(ctx, p, pass, x, tokens, cache.head);
      set_value<B>(cache.mean.data(), score(cache, scale(pass, tokens)).mean());
    }
    /// Weight times the mean loss of the last forward.
    template <class B, class T>
    static compute_t<T> loss(const Cache<T>& cache) {
      return compute_t<T>(Weight) * host_value<B>(cache.mean.data());
    }
    /// The factor of the sum of these losses in the loss of the step.
    static double scale(const Pass& pass, Slots tokens) {
      const Index count =
          Head::count_targets({{tokens.data(), tokens.size() / Head::window, Head::window}, Head::pad, Head::emits_end});
      return count > 0 ? Weight * pass.weight / static_cast<double>(count) : 0;
    }
    /// Adds the gradient of x to `dx`. `cache.head.logits` holds the gradient of the logits.
    template <class B, class P, class T, class G>
    static void backward(Context<B>& ctx, const P& p, const Pass& pass,
                         std::type_identity_t<Rows<const T, dim>> x, Rows<T, dim> dx, const Cache<T>& cache, const G& grads) {
      Head::backward(ctx, p, pass, x, cache.d, cache.head, grads);
      ops::add(ctx, dx, cache.d, dx);
    }
  };
};

}  // namespace stlm
