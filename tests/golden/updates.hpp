// The tensors of optimizers.safetensors as a model, and the one test of an optimiser against it.
#pragma once

#include <map>

#include "golden/golden.hpp"

namespace golden {

using stlm::ParameterSpec;
using stlm::View;

/// Matrices of every kind of shape, three of them stacked; two tables; a vector.
struct UpdateModel {
  template <class T>
  struct Params {
    View<T, 5, 9> wide;
    View<T, 9, 5> tall;
    View<T, 6, 6> square;
    View<T, 8, 6> stacked;
    View<T, 7, 5> table;
    View<T, 3, 5> positions;
    View<T, 9> vector;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const stlm::Path& path, P& p) {
    v(path / "wide", p.wide, ParameterSpec::matrix(9));
    v(path / "tall", p.tall, ParameterSpec::matrix(5));
    v(path / "table", p.table, ParameterSpec::table(1));
    v(path / "vector", p.vector, ParameterSpec::ones());
    v(path / "square", p.square, ParameterSpec::matrix(6));
    ParameterSpec spec = ParameterSpec::matrix(6);
    spec.row_parts = {4, 2, 2};
    v(path / "stacked", p.stacked, spec);
    v(path / "positions", p.positions, ParameterSpec::table(1));
  }
};

/// Tensor by tensor, so that what `for_each` does not list is lost.
template <class T, class Optimizer>
void copy_state(Optimizer& from, Optimizer& to) {
  std::map<std::string, std::vector<T>> state;
  from.for_each_state([&](const std::string& name, const auto& moments) {
    moments.for_each([&](const stlm::Path& path, const auto& view, const ParameterSpec&) {
      state[name + "." + path.str()].assign(view.begin(), view.end());
    });
  });
  to.for_each_state([&](const std::string& name, const auto& moments) {
    moments.for_each([&](const stlm::Path& path, const auto& view, const ParameterSpec&) {
      std::ranges::copy(state.at(name + "." + path.str()), view.begin());
    });
  });
  to.set_step_count(from.step_count());
}

/// Three rounds of gradients; the tensors after each must be those of "`name`.ROUND.". Before the last the state moves
/// to another optimiser, as through a checkpoint; it must go on as the first would have.
template <class Numbers, class Optimizer, class Options>
void check_updates(const std::string& name, const Options& options) {
  using Backend = typename Numbers::Backend;
  using T = typename Numbers::T;
  const File file("optimizers.safetensors");
  stlm::Context<Backend> ctx({.threads = 2});
  stlm::Parameters<UpdateModel, Backend, T> params(ctx), grads(ctx);
  Optimizer first(ctx, options), resumed(ctx, options);
  file.load(params, "params.");
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    const std::string number = std::to_string(round) + ".";
    file.load(grads, "grads." + number);
    if (round == 2) copy_state<T>(first, resumed);
    (round < 2 ? first : resumed).step(ctx, params, grads);
    file.check(params, name + "." + number, Numbers::tolerance);
  }
  CHECK(first.step_count() == 2);
  CHECK(resumed.step_count() == 3);
}

}  // namespace golden
