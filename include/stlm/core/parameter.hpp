// Parameters: a model's tensors, listed once by `visit`, stored in one flat buffer.
//
// A module lists the fields of its `Params<T>`:
//
//   template <class V, class P>
//   static constexpr void visit(V& v, const Path& path, P& p) {
//     v(path / "weight", p.weight, ParameterSpec::matrix(In));
//   }
//
// Everything else is a visitor: counting (a constant), binding to a buffer, initialising, naming for files, printing,
// finding the tensor that went NaN. A tensor used in two places (tied head, shared feed-forward layer) is visited by its owner
// only; the other place copies the bound view with `share`. So the tensor is stored, counted, updated and saved once, and the
// gradients of both uses add up in the same memory.
#pragma once

#include <utility>

#include <stlm/core/backend.hpp>
#include <stlm/core/buffer.hpp>
#include <stlm/core/parameter_spec.hpp>

namespace stlm {

namespace detail {

inline constexpr Index tensor_alignment = 16;  // elements: each tensor of floats begins on its own cache line
constexpr Index aligned(Index size) { return (size + tensor_alignment - 1) / tensor_alignment * tensor_alignment; }

/// Sums sizes. `matrices` is the padded length of the leading part of the buffer, which holds all tensors of rank >= 2.
struct Counter {
  Index elements = 0, matrices = 0, vectors = 0;
  template <class T, class Shape>
  constexpr void operator()(const Path&, TensorView<T, Shape>& view, const ParameterSpec&) {
    elements += view.size();
    (Shape::rank >= 2 ? matrices : vectors) += aligned(view.size());
  }
};

/// Points views into a flat buffer: tensors of rank >= 2 first, then the rest, each part in the order of `visit`.
template <class T>
struct Binder {
  T* matrix;
  T* vector;
  template <class Shape>
  void operator()(const Path&, TensorView<T, Shape>& view, const ParameterSpec&) {
    T*& cursor = Shape::rank >= 2 ? matrix : vector;
    view = TensorView<T, Shape>(cursor, view.extents());
    cursor += aligned(view.size());
  }
  template <class P>
  void share(P& p, const P& owner) {
    p = owner;
  }
};

/// Returns `visitor` after it has visited every tensor of a model; the views are not bound to memory.
template <class Model, class V>
constexpr V visited(V visitor) {
  typename Model::template Params<float> params{};
  Model::visit(visitor, Path{}, params);
  return visitor;
}

}  // namespace detail

/// Tells a visitor that `p` uses the tensors of `owner`, visited before. Binding copies the views; other visitors skip them.
template <class V, class P>
constexpr void share(V& v, P& p, const P& owner) {
  if constexpr (requires { v.share(p, owner); }) v.share(p, owner);
}

/// The number of trainable parameters, with each shared tensor counted once. A constant.
template <class Model>
inline constexpr Index num_params = detail::visited<Model>(detail::Counter{}).elements;

/// One number for each parameter of a model: weights, gradients, moments and averages all have this type, each its own buffer.
template <class Model, class Backend, class T = float>
class Parameters {
  static constexpr detail::Counter count_ = detail::visited<Model>(detail::Counter{});

 public:
  using model = Model;
  using scalar = T;
  using Tree = typename Model::template Params<T>;

  explicit Parameters(Context<Backend>&) : buffer_(count_.matrices + count_.vectors) {
    detail::Binder<T> binder{buffer_.data(), buffer_.data() + count_.matrices};
    Model::visit(binder, Path{}, tree_);
  }

  /// After move construction the source has no tensors; after move assignment it has those of the target.
  Parameters(Parameters&& other) noexcept : buffer_(std::move(other.buffer_)), tree_(std::exchange(other.tree_, {})) {}
  Parameters& operator=(Parameters&& other) noexcept {
    std::swap(buffer_, other.buffer_);
    std::swap(tree_, other.tree_);
    return *this;
  }

  /// The tensors as fields of the model's Params.
  const Tree& tree() const { return tree_; }

  /// All numbers as one array, with each tensor zero-padded to cache lines: [ matrices | vectors ].
  View<T, dynamic> flat() const { return buffer_.view(); }
  View<T, dynamic> matrices() const { return View<T, dynamic>(buffer_.data(), count_.matrices); }
  View<T, dynamic> vectors() const { return View<T, dynamic>(buffer_.data() + count_.matrices, count_.vectors); }

  void zero(Context<Backend>& ctx) {
    if constexpr (requires { ctx.clear(buffer_.data(), buffer_.bytes()); })
      ctx.clear(buffer_.data(), buffer_.bytes());  // in order with the work submitted to a device
    else
      Backend::memory_space::clear(buffer_.data(), buffer_.bytes());
  }

  /// Calls `f(path, view, spec)` for each tensor, in the order of `visit`.
  template <class F>
  void for_each(F&& f) {
    Model::visit(f, Path{}, tree_);
  }
  template <class F>
  void for_each(F&& f) const {
    Tree tree = tree_;
    Model::visit(f, Path{}, tree);
  }

 private:
  Buffer<T, typename Backend::memory_space> buffer_;
  Tree tree_{};
};

}  // namespace stlm
