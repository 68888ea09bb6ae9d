// add_module: registers the forward pass of a module, and its backward pass, timed after one forward pass.
//
//   add_module<Linear<384, 1024>, 384, 1024>("linear/384x1024", {8, 256});
//
// FLOPs are the module's own `flops_per_token`; backward counts twice as many. Forward reads the parameters and x and writes
// y. Backward reads the parameters, their gradients, x and dy, and writes the gradients and dx.
#pragma once

#include <stlm/core/module.hpp>

#include "numbers.hpp"

namespace bench {

using stlm::Pass;

/// All that a pass of the module M needs, which maps rows (N, In) to rows (N, Out).
template <class M, Index In, Index Out>
struct ModuleData {
  template <Index Cols>
  using Rows = stlm::View<float, stlm::dynamic, Cols>;

  Context ctx;
  stlm::Parameters<M, Backend> params, grads;
  Pass pass;
  stlm::PlannedMemory<stlm::HostSpace> memory;
  typename M::template Cache<float> cache{};
  Numbers x_numbers, y_numbers, dy_numbers, dx_numbers;
  Rows<In> x, dx;
  Rows<Out> y, dy;

  ModuleData(int threads, const Pass& pass_)
      : ctx({.threads = threads, .seed = 1}),
        params(ctx),
        grads(ctx),
        pass(pass_),
        x_numbers(pass.rows(), In),
        y_numbers(pass.rows(), Out),
        dy_numbers(pass.rows(), Out),
        dx_numbers(pass.rows(), In),
        x(x_numbers.data(), pass.rows()),
        dx(dx_numbers.data(), pass.rows()),
        y(y_numbers.data(), pass.rows()),
        dy(dy_numbers.data(), pass.rows()) {
    stlm::init(ctx, params);
    memory.allocate([&](stlm::Arena& arena) { M::plan(arena, cache, pass); });
  }
};

/// Registers forward(data) as name/forward and backward(data) as name/backward; `flops` counts a forward pass.
template <class M, Index In, Index Out, class Forward, class Backward>
void add_module(const std::string& name, const Pass& pass, double flops, const Forward& forward,
                const Backward& backward) {
  const double tokens = static_cast<double>(pass.rows()), params = static_cast<double>(stlm::num_params<M>);
  const Work once{.flops = flops, .bytes = 4 * (params + tokens * (In + Out)), .tokens = tokens};
  const Work twice{.flops = 2 * flops, .bytes = 4 * (3 * params + tokens * (2 * In + Out)), .tokens = tokens};
  add_body(name + "/forward", 2, [=](benchmark::State& state, int threads) {
    ModuleData<M, In, Out> data(threads, pass);
    measure(state, threads, once, [&] { forward(data); });
  });
  add_body(name + "/backward", 2, [=](benchmark::State& state, int threads) {
    ModuleData<M, In, Out> data(threads, pass);
    forward(data);
    measure(state, threads, twice, [&] { backward(data); });
  });
}

/// Registers a module on rows, or one on the residual stream, whose backward turns dy into dx in place.
template <class M, Index In = M::dim, Index Out = In>
void add_module(const std::string& name, const Pass& pass) {
  double flops = 0;
  if constexpr (requires { M::flops_per_token(pass.tokens); })
    flops = static_cast<double>(pass.rows()) * M::flops_per_token(pass.tokens);
  add_module<M, In, Out>(
      name, pass, flops, [](auto& d) { M::forward(d.ctx, d.params.tree(), d.pass, d.x, d.y, d.cache); },
      [](auto& d) {
        if constexpr (requires {
                        M::backward(d.ctx, d.params.tree(), d.pass, d.x, d.dy, d.dx, d.cache, d.grads.tree());
                      }) {
          M::backward(d.ctx, d.params.tree(), d.pass, d.x, d.dy, d.dx, d.cache, d.grads.tree());
        } else {
          d.dx_numbers.array() = d.dy_numbers.array();
          M::backward(d.ctx, d.params.tree(), d.pass, d.x, d.dx, d.cache, d.grads.tree());
        }
      });
}

/// A module together with the embedding table that it borrows.
template <class M, Index Cols>
struct WithTable : M {
  template <class T>
  struct Params {
    stlm::View<T, M::vocabulary, Cols> table;
    typename M::template Params<T> module;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const stlm::Path& path, P& p) {
    v(path / "table", p.table, stlm::ParameterSpec::table(0.02));
    M::visit(v, path / "module", p.module, p.table);
  }
};

}  // namespace bench
