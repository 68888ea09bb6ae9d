// Muon (Jordan et al. 2024): momentum, orthogonalised, for the matrices; AdamW for everything else.
//
//   m = mu m + g,   u = g + mu m,   w = (1 - lr decay) w - lr sqrt(max(1, rows / cols)) orthogonalise(u)
//
// orthogonalise(u) sets X = u / (|u| + 1e-7), Frobenius norm, and takes five Newton-Schulz steps, which bring all
// singular values near 1 (between about 0.7 and 1.2):
//   X <- a X + (b G + c G G) X,  G = X X^T        or, when rows > cols,  X <- a X + X (b G + c G G),  G = X^T X
//
// Matrices are the tensors of Role::kMatrix and rank 2; those that `row_parts` says are stacked, as Q, K and V, are
// orthogonalised each on its own. Tables, gains and biases take AdamW's step, with its options.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/gemm.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/detail/muon_tensors.hpp>

namespace stlm {

struct MuonOptions {
  double lr = 0.02;  ///< of the matrices
  double momentum = 0.95;
  double weight_decay = 0;  ///< of the matrices
  AdamWOptions adamw = {};  ///< of all other tensors
};

/// `Product`: how the factors of the orthogonalisation are rounded, T or Bfloat16, and on a GPU all its matrices. Its result
/// is approximate either way.
template <class Model, class Backend, class T = float, class Product = T>
class Muon {
  static constexpr detail::MuonCounter count_ = detail::visited<Model>(detail::MuonCounter{});
  static_assert(count_.parts_fit,
                "stlm::Muon: the row_parts of a tensor do not add up to its rows; correct its ParameterSpec.");

 public:
  using Options = MuonOptions;

  Muon(Context<Backend>& ctx, const Options& options = {})
      : options_(options),
        first_(ctx),
        second_(ctx),
        momentum_(count_.matrix),
        work_(2 * count_.matrix + 2 * count_.gram),
        state_(1) {}

  /// One step. `factor`, from a schedule, multiplies both learning rates.
  void step(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params,
            const Parameters<Model, Backend, T>& grads, double factor = 1) {
    set_value<Backend>(state_.data(), ops::StepState<T>::at(options_.adamw, factor, ++step_));
    update(ctx, ops::StepView<T>(state_.data()), params, grads, false, {});
  }
  /// The step that `ops::begin_step` began. Sets the gradients to zero if it `clears`; `rounded`, where it is given,
  /// becomes the new matrices in Bfloat16.
  void update(Context<Backend>& ctx, ops::StepView<T> state, const Parameters<Model, Backend, T>& params,
              const Parameters<Model, Backend, T>& grads, bool clears, View<Bfloat16, dynamic> rounded) {
    Index table = 0;  // where the next one's second moment begins
    params.for_each([&]<class Shape>(const Path&, const TensorView<T, Shape>& w, const ParameterSpec& spec) {
      if constexpr (Shape::rank >= 2) {
        const Index at = w.data() - params.flat().data();
        const Flat weights(w.data(), w.size()), first = part(first_.flat(), at, w.size());
        const Flat gradient = part(grads.flat(), at, w.size());
        if (detail::is_muon_matrix<Shape>(spec)) {
          const Index cols = w.extent(1);
          detail::for_each_part(spec, w.extent(0), [&](Index row, Index rows) {
            const Index begin = row * cols, size = rows * cols;
            const double ratio = static_cast<double>(rows) / static_cast<double>(cols);
            ops::momentum(ctx, state, part(gradient, begin, size), options_.momentum, part(first, begin, size),
                          Flat(momentum_.data(), size), clears);
            ops::descend(ctx, state, orthogonalised(ctx, rows, cols), options_.lr * std::sqrt(std::max(1.0, ratio)),
                         options_.lr * options_.weight_decay, part(weights, begin, size));
          });
        } else {
          ops::adamw(ctx, state, weights, gradient, first, part(second_.flat(), table, w.size()), {true, clears});
          table += detail::aligned(w.size());
        }
      }
    });
    ops::adamw(ctx, state, params.vectors(), grads.vectors(), first_.vectors(), second_.vectors(), {false, clears});
    if (rounded) ops::convert(ctx, params.matrices(), rounded);
  }
  const AdamWOptions& adamw() const { return options_.adamw; }

  /// Calls `f(name, parameters)` for each set of moments: what a checkpoint holds beside the step count.
  template <class F>
  void for_each_state(F&& f) {
    f("first", first_);
    f("second", second_);
  }
  std::int64_t step_count() const { return step_; }
  void set_step_count(std::int64_t steps) { step_ = steps; }

 private:
  using Flat = View<T, dynamic>;
  using Work = activation_t<Backend, Product>;
  using Matrix = View<Work, dynamic, dynamic>;

  static Flat part(Flat flat, Index begin, Index size) { return Flat(flat.data() + begin, size); }

  /// The momentum orthogonalised.
  Flat orthogonalised(Context<Backend>& ctx, Index rows, Index cols) {
    constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
    const bool wide = rows <= cols;
    const Index side = std::min(rows, cols);
    Matrix x(work_.data(), rows, cols), next(work_.data() + count_.matrix, rows, cols);
    const Matrix gram(work_.data() + 2 * count_.matrix, side, side), sum(gram.data() + count_.gram, side, side);

    const Flat momentum(momentum_.data(), rows * cols);
    ops::normalize(ctx, momentum, 1e-7, View<Work, dynamic>(x.data(), momentum.size()));
    for (int i = 0; i < 5; ++i) {
      ops::gemm<Product>(ctx, x, x, gram, {.transpose_a = !wide, .transpose_b = wide});
      ops::gemm<Product>(ctx, gram, gram, sum);
      ops::axpby(ctx, T(b), gram, T(c), sum);
      ops::axpby(ctx, T(a), x, T(0), next);
      ops::gemm<Product>(ctx, wide ? sum : x, wide ? x : sum, next, {.accumulate = true});
      std::swap(x, next);
    }
    if constexpr (std::is_same_v<Work, T>) {
      return Flat(x.data(), x.size());
    } else {
      ops::convert(ctx, x, momentum);
      return momentum;
    }
  }

  Options options_;
  Parameters<Model, Backend, T> first_;  // momentum of the matrices, AdamW's first moment of the rest
  Parameters<detail::WithoutMatrices<Model>, Backend, T> second_;
  Buffer<T, typename Backend::memory_space> momentum_;  // of one matrix
  Buffer<Work, typename Backend::memory_space> work_;   // two matrices, two Gram matrices
  Buffer<ops::StepState<T>, typename Backend::memory_space> state_;
  std::int64_t step_ = 0;
};

}  // namespace stlm
