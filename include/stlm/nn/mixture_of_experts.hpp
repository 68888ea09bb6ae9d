// MixtureOfExperts: a feed-forward layer of E experts, of which each row uses K (Shazeer et al. 2017).
//
//   p = softmax(W_r x),   y = sum over the K experts with the largest p_e of p_e Expert_e(x)          W_r (E, C)
//
// Expert is a feed-forward layer, SwiGlu or FeedForward; the mixture takes its place in a block. Rows are sorted by expert,
// and each expert runs once, on its own rows: the work of K experts for each row. Experts have no capacity limit, so no row is
// dropped and a row's result depends on that row alone: decoding equals the full pass, and no later token leaks in.
//
// The auxiliary loss is `load_balance` E sum_e P_e f_e (ops/routing.hpp). Cached: the routes, the sorted rows, the experts'
// results (which backward overwrites with gradients), and one Expert cache of N K rows, divided among the experts. The host
// must know the number of rows of each expert, so on a GPU it waits for the routes.
#pragma once

#include <array>

#include <stlm/core/host_copy.hpp>
#include <stlm/nn/detail/rows_of_cache.hpp>
#include <stlm/nn/linear.hpp>
#include <stlm/ops/routing.hpp>

namespace stlm {

/// The options of a mixture: derive and override.
struct MixtureDefaults {
  static constexpr bool renormalize = false;    ///< the K weights of a row are divided by their sum
  static constexpr double load_balance = 0.01;  ///< weight of the auxiliary loss
};

template <class Expert, Index Experts, Index Chosen, class Options = MixtureDefaults>
struct MixtureOfExperts {
  static_assert(0 < Chosen && Chosen <= Experts,
                "stlm::MixtureOfExperts: expected 1 <= Chosen <= Experts; change how many experts a row uses.");
  static_assert(requires { typename Expert::linears; },
                "stlm::MixtureOfExperts: an expert says what linear layers it is made of; add `linears` and "
                "`WithLinears<Other>` as in stlm::SwiGlu.");
  static constexpr Index dim = Expert::dim;
  static constexpr bool causal = LooksBack<Expert>;
  static constexpr std::size_t size = static_cast<std::size_t>(Experts);
  static constexpr ops::RouteOptions route_options{Options::renormalize};
  using linears = typename Expert::linears;
  using Router = Linear<dim, Experts>;
  template <class Other>
  using WithLinears = MixtureOfExperts<typename Expert::template WithLinears<Other>, Experts, Chosen, Options>;

  template <class T>
  struct Params {
    typename Router::template Params<T> router;
    std::array<typename Expert::template Params<T>, size> experts;
  };
  template <class T>
  struct Cache {
    ops::Routes<T, Experts, Chosen> routes;
    View<compute_t<T>, 1> balance;
    View<T, dynamic, dim> in, out;
    View<T, dynamic, Chosen> dgates;
    View<T, dynamic, Experts> dlogits;
    typename Expert::template Cache<T> expert;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    visit(v, path, p, p, 0);
  }
  /// `first`: the parameters of layer 0, whose expert 0 owns an activation that all layers and experts share.
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p, const P& first, Index layer) {
    Router::visit(v, path / "router", p.router);
    for (std::size_t e = 0; e < size; ++e) {
      const Path experts = path / "experts", expert = experts / static_cast<Index>(e);
      if constexpr (requires { Expert::visit(v, expert, p.experts[e], first.experts[0], layer); })
        Expert::visit(v, expert, p.experts[e], first.experts[0], layer * Experts + static_cast<Index>(e));
      else
        Expert::visit(v, expert, p.experts[e]);
    }
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    const Pass routed = routed_rows(pass, pass.rows() * Chosen);
    arena.keep(cache.routes.probabilities, pass.rows());
    arena.keep(cache.routes.gates, pass.rows());
    arena.keep(cache.routes.experts, pass.rows());
    arena.keep(cache.routes.slots, pass.rows());
    arena.keep(cache.routes.offsets);
    arena.keep(cache.balance);
    arena.keep(cache.in, routed.rows());
    arena.keep(cache.out, routed.rows());
    arena.temp(cache.dgates, pass.rows());
    arena.temp(cache.dlogits, pass.rows());
    Expert::plan(arena, cache.expert, routed);
  }
  static constexpr double flops_per_token(Index tokens) {
    return Router::flops_per_token(tokens) + Chosen * Expert::flops_per_token(tokens);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                      const Cache<T>& cache) {
    Router::forward(ctx, p.router, pass, x, cache.routes.probabilities, Empty{});
    ops::route(ctx, cache.routes, route_options);
    ops::load_balance(ctx, cache.routes, cache.balance);
    ops::dispatch(ctx, cache.routes, x, cache.in);
    each_expert<B>(pass, cache, [&](std::size_t e, const Pass& rows, auto in, auto out, const auto& part) {
      Expert::forward(ctx, p.experts[e], rows, View<const T, dynamic, dim>(in), out, part);
    });
    ops::combine(ctx, cache.routes, cache.out, y);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x,
                       Rows<const T, dim> dy, Rows<T, dim> dx, const Cache<T>& cache,
                       const Params<compute_t<T>>& grads) {
    ops::combine_backward(ctx, cache.routes, dy, cache.out, cache.dgates);
    each_expert<B>(pass, cache, [&](std::size_t e, const Pass& rows, auto in, auto d, const auto& part) {
      Expert::backward(ctx, p.experts[e], rows, View<const T, dynamic, dim>(in), View<const T, dynamic, dim>(d), d,
                       part, grads.experts[e]);
    });
    ops::dispatch_backward(ctx, cache.routes, cache.out, dx);
    ops::route_backward(ctx, cache.routes, cache.dgates, cache.dlogits, pass.weight * Options::load_balance,
                        route_options);
    Router::backward(ctx, p.router, pass, x, View<const T, dynamic, Experts>(cache.dlogits), dx, Empty{}, grads.router,
                     true);
  }

  template <class B, class T>
  static compute_t<T> auxiliary(const Cache<T>& cache) {
    return compute_t<T>(Options::load_balance) * host_value<B>(cache.balance.data());
  }

 private:
  static constexpr Pass routed_rows(const Pass& pass, Index rows) {
    return {.tokens = rows, .dropout = pass.dropout, .key = pass.key, .weight = pass.weight};
  }
  /// Calls f(e, pass, in, out, cache) for every expert that has rows, with its parts of `cache.in`, `cache.out` and the cache.
  template <class B, class T, class F>
  static void each_expert(const Pass& pass, const Cache<T>& cache, const F& f) {
    std::array<Index, size + 1> room;
    const auto offsets = host_copy<B, Index>(std::span(cache.routes.offsets.data(), size + 1), room);
    for (std::size_t e = 0; e < size; ++e) {
      const Index begin = offsets[e], count = offsets[e + 1] - begin;
      if (count == 0) continue;
      const Pass rows = routed_rows(pass, count).at(e);
      auto part = cache.expert;
      detail::RowsOfCache slice{cache.in.extent(0), begin};
      Expert::plan(slice, part, rows);
      const auto at = [&](View<T, dynamic, dim> view) { return View<T, dynamic, dim>(&view(begin, 0), count); };
      f(e, rows, at(cache.in), at(cache.out), part);
    }
  }
};

}  // namespace stlm
