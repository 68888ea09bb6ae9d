// QuantizedWeights: a model's weights in 8 bits, for inference: a quarter of the memory and of the time to read the weights.
//
//   const QuantizedWeights<Model, Backend> weights(ctx, params);      // params are not needed afterwards
//   generator.generate(ctx, weights, prompt, options, on_byte);
//
// Matrices are int8 with a scale for each row (core/quantized.hpp); vectors and small tables stay float.
#pragma once

#include <stlm/core/parameter.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/quantized.hpp>

namespace stlm {

namespace detail {
/// Counts what the tensors of Params<Int8> need: bytes of int8, rows, and floats of the tensors that stay float.
struct QuantizedCounter {
  Index bytes = 0, rows = 0, floats = 0;
  template <Index Rows, Index Cols>
  constexpr void operator()(const Path&, QuantizedView<Rows, Cols>&, const ParameterSpec&) {
    bytes += QuantizedView<Rows, Cols>::padded_size;
    rows += Rows;
  }
  template <class T, class Shape>
  constexpr void operator()(const Path&, TensorView<T, Shape>& view, const ParameterSpec&) {
    floats += aligned(view.size());
  }
};

/// Fills the tensors from the float ones, which a model visits in the same order.
template <class Backend>
struct QuantizedBinder {
  Context<Backend>& ctx;
  const float *matrices, *vectors;  // next unread float parameters; reading a tensor advances one of them
  std::int8_t* bytes;
  float *scales, *floats;
  std::int32_t* sums;

  template <Index Rows, Index Cols>
  void operator()(const Path&, QuantizedView<Rows, Cols>& view, const ParameterSpec&) {
    view.data = bytes;
    view.scales = scales;
    view.sums = sums;
    ops::quantize(ctx, View<const float, Rows, Cols>(matrices), view);
    matrices += aligned(Rows * Cols);
    bytes += QuantizedView<Rows, Cols>::padded_size;
    scales += Rows;
    sums += Rows;
  }
  template <class Shape>
  void operator()(const Path&, TensorView<float, Shape>& view, const ParameterSpec&) {
    const float*& from = Shape::rank >= 2 ? matrices : vectors;
    view = TensorView<float, Shape>(floats, view.extents());
    ops::copy_rows(ctx, MatrixView<const float>(from, 1, view.size(), view.size()),
                   MatrixView<float>(floats, 1, view.size(), view.size()));
    from += aligned(view.size());
    floats += aligned(view.size());
  }
  template <class P>
  void share(P& p, const P& owner) {
    p = owner;
  }
};
}  // namespace detail

template <class Model, class Backend>
class QuantizedWeights {
  using Space = typename Backend::memory_space;
  static constexpr detail::QuantizedCounter count() {
    detail::QuantizedCounter counter;
    typename Model::template Params<Int8> params{};
    Model::visit(counter, Path{}, params);
    return counter;
  }

 public:
  using model = Model;
  using scalar = Int8;
  using Tree = typename Model::template Params<Int8>;

  QuantizedWeights(Context<Backend>& ctx, const Parameters<Model, Backend, float>& params)
      : bytes_(count().bytes), scales_(count().rows), floats_(count().floats), sums_(count().rows) {
    detail::QuantizedBinder<Backend> binder{ctx,           params.matrices().data(), params.vectors().data(), bytes_.data(),
                                            scales_.data(), floats_.data(),           sums_.data()};
    Model::visit(binder, Path{}, tree_);
  }

  const Tree& tree() const { return tree_; }
  /// Size in memory: integers, scales, sums and the tensors that stay float.
  std::size_t bytes() const { return bytes_.bytes() + scales_.bytes() + floats_.bytes() + sums_.bytes(); }

 private:
  Buffer<std::int8_t, Space> bytes_;
  Buffer<float, Space> scales_, floats_;
  Buffer<std::int32_t, Space> sums_;
  Tree tree_{};
};

}  // namespace stlm
