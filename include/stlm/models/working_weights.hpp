// WorkingWeights: the weights of a model in the scalar that its matrix products read.
//
//   WorkingWeights<Model, Backend, Bfloat16> weights(ctx, params);    // params stay float: the master copy
//   Activations<Model, Backend, Bfloat16> acts(ctx, shape);            // float on a CPU, Bfloat16 on a GPU
//   forward(ctx, weights, batch, acts);
//   backward(ctx, weights, batch, acts, grads);                        // gradients are float
//   optimizer.step(ctx, params, grads);
//   weights.update(ctx);                                               // rounds what the step changed
//
// Matrices are rounded copies; vectors are views of the master copy. If S is the master copy's scalar, all tensors are views of
// it and `update` does nothing, so one loop serves both cases. The parameters must outlive the weights.
#pragma once

#include <stlm/core/bfloat16.hpp>
#include <stlm/core/parameter.hpp>
#include <stlm/ops/elementwise.hpp>

namespace stlm {

namespace detail {
/// Points matrices of scalar S at `rounded`, other tensors at the master copy; matrices have the same offsets in both.
template <class S, class T>
struct WorkingBinder {
  S* rounded;
  T *matrices, *vectors;
  Index matrix = 0, vector = 0;  // where the next tensor begins

  template <class U, class Shape>
  void operator()(const Path&, TensorView<U, Shape>& view, const ParameterSpec&) {
    Index& at = Shape::rank >= 2 ? matrix : vector;
    if constexpr (Shape::rank >= 2 && std::is_same_v<U, S>)
      view = TensorView<U, Shape>(rounded + at, view.extents());
    else
      view = TensorView<U, Shape>((Shape::rank >= 2 ? matrices : vectors) + at, view.extents());
    at += aligned(view.size());
  }
  template <class P>
  void share(P& p, const P& owner) {
    p = owner;
  }
};
}  // namespace detail

template <class Model, class Backend, class S>
class WorkingWeights {
 public:
  using model = Model;
  using scalar = S;
  using Tree = typename Model::template Params<S>;
  using T = compute_t<S>;

  WorkingWeights(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params) : master_(params.matrices()) {
    detail::WorkingBinder<S, T> binder{nullptr, master_.data(), params.vectors().data()};
    if constexpr (std::is_same_v<S, T>) {
      binder.rounded = master_.data();
    } else {
      rounded_ = Buffer<S, typename Backend::memory_space>(master_.size());
      binder.rounded = rounded_.data();
    }
    Model::visit(binder, Path{}, tree_);
    update(ctx);
  }

  const Tree& tree() const { return tree_; }

  /// The rounded copy of the parameters' matrices; empty if there is none.
  View<Bfloat16, dynamic> rounded() const {
    if constexpr (std::is_same_v<S, T>)
      return {};
    else
      return rounded_.view();
  }

  /// Call it after the parameters have changed.
  void update(Context<Backend>& ctx) {
    if constexpr (!std::is_same_v<S, T>) ops::convert(ctx, master_, rounded_.view());
  }

 private:
  View<T, dynamic> master_;
  Buffer<S, typename Backend::memory_space> rounded_;
  Tree tree_{};
};

}  // namespace stlm
