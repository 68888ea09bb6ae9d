// init: fills a model's tensors with the initial values that their ParameterSpecs declare.
#pragma once

#include <cmath>

#include <stlm/core/host_copy.hpp>
#include <stlm/core/parameter.hpp>
#include <stlm/core/random.hpp>

namespace stlm {

namespace detail {

/// Fills `values` with the first `size` numbers of a distribution, the same for every backend and scalar.
template <class T>
void draw(const Init& init, const RandomKey& stream, T* values, Index size) {
  for (Index i = 0; i < size; ++i) {
    const auto n = static_cast<std::uint64_t>(i);
    const double u = random_uniform(stream, 2 * n), w = random_uniform(stream, 2 * n + 1);
    double value = 0;
    if (init.kind == Init::Kind::kOnes) value = 1;
    if (init.kind == Init::Kind::kGiven) value = init.value(i);
    if (init.kind == Init::Kind::kUniform) value = init.scale * (2 * u - 1);
    if (init.kind == Init::Kind::kNormal)  // Box-Muller
      value = init.scale * std::sqrt(-2 * std::log(1 - u)) * std::cos(6.283185307179586 * w);
    values[i] = static_cast<T>(value);
  }
}

}  // namespace detail

/// Fills every tensor with initial values, drawn in double from the context's seed. `policy(path, spec)` returns the `Init` to
/// use: the declared spec.init, or another.
template <class Model, class Backend, class T, class Policy>
void init(Context<Backend>& ctx, Parameters<Model, Backend, T>& params, Policy&& policy) {
  const RandomKey key = ctx.random().next();
  std::uint64_t tensor = 0;
  auto fill = [&]<class Shape>(const Path& path, TensorView<T, Shape>& view, const ParameterSpec& spec) {
    ParameterSpec chosen = spec;
    chosen.init = policy(path, spec);
    const Init start{chosen.init.kind, chosen.scale(), chosen.init.value};
    expect<Error>(start.kind != Init::Kind::kGiven || start.value, "stlm::init: the policy gives \"", path.str(),
                  "\" values of its own without a function; pass on spec.init.value.");
    Buffer<T> room(in_host_memory<Backend> ? 0 : view.size());
    T* const values = in_host_memory<Backend> ? view.data() : room.data();
    detail::draw(start, key.fold(tensor++), values, view.size());
    if (values != view.data()) Backend::memory_space::from_host(view.data(), values, room.bytes());
  };
  params.for_each(fill);
}

template <class Model, class Backend, class T>
void init(Context<Backend>& ctx, Parameters<Model, Backend, T>& params) {
  init(ctx, params, [](const Path&, const ParameterSpec& spec) { return spec.init; });
}

}  // namespace stlm
