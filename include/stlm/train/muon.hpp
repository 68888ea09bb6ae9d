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

/// `Product`: how the factors of the orthogonalisation are rounded, T or Bfloat16. Its result is approximate either way.
template <class Model, class Backend, class T = float, class Product = T>
class Muon {
  static constexpr detail::MuonCounter count_ = detail::visited<Model>(detail::MuonCounter{});
  static_assert(count_.parts_fit,
                "stlm::Muon: the row_parts of a tensor do not add up to its rows; correct its ParameterSpec.");

 public:
  Muon(Context<Backend>& ctx, MuonOptions options = {})
      : options_(options), first_(ctx), second_(ctx), work_(2 * count_.matrix + 2 * count_.gram) {}

  /// One step. `factor`, from a schedule, multiplies both learning rates.
  void step(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params,
            const Parameters<Model, Backend, T>& grads, double factor = 1) {
    ++step_;
    Index table = 0;  // where the next one's second moment begins
    params.for_each([&]<class Shape>(const Path&, const TensorView<T, Shape>& w, const ParameterSpec& spec) {
      if constexpr (Shape::rank >= 2) {
        const Index at = w.data() - params.flat().data();
        const Flat weights(w.data(), w.size()), first = part(first_.flat(), at, w.size());
        const Flat gradient = part(grads.flat(), at, w.size());
        if (detail::is_muon_matrix<Shape>(spec)) {
          ops::axpby(ctx, T(1), gradient, T(options_.momentum), first);
          const Index cols = w.extent(1);
          detail::for_each_part(spec, w.extent(0), [&](Index row, Index rows) {
            const Index begin = row * cols, size = rows * cols;
            update(ctx, part(weights, begin, size), part(gradient, begin, size), part(first, begin, size), rows, cols,
                   options_.lr * factor);
          });
        } else {
          ops::adamw(ctx, weights, gradient, first, part(second_.flat(), table, w.size()),
                     options_.adamw.matrices(factor, step_));
          table += detail::aligned(w.size());
        }
      }
    });
    ops::adamw(ctx, params.vectors(), grads.vectors(), first_.vectors(), second_.vectors(),
               options_.adamw.vectors(factor, step_));
  }

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
  using Matrix = View<T, dynamic, dynamic>;

  static Flat part(Flat flat, Index begin, Index size) { return Flat(flat.data() + begin, size); }

  void update(Context<Backend>& ctx, Flat w, Flat gradient, Flat momentum, Index rows, Index cols, double lr) {
    const double ratio = static_cast<double>(rows) / static_cast<double>(cols);
    const double scale = lr * std::sqrt(std::max(1.0, ratio));
    ops::axpby(ctx, T(-scale), orthogonalised(ctx, gradient, momentum, rows, cols), T(1 - lr * options_.weight_decay),
               w);
  }

  /// orthogonalise(gradient + mu momentum), in the work memory.
  Matrix orthogonalised(Context<Backend>& ctx, Flat gradient, Flat momentum, Index rows, Index cols) {
    constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
    const bool wide = rows <= cols;
    const Index side = std::min(rows, cols);
    Matrix x(work_.data(), rows, cols), next(work_.data() + count_.matrix, rows, cols);
    const Matrix gram(work_.data() + 2 * count_.matrix, side, side), sum(gram.data() + count_.gram, side, side);

    ops::axpby(ctx, T(1), gradient, T(0), next);
    ops::axpby(ctx, T(options_.momentum), momentum, T(1), next);
    const Index size = rows * cols;
    ops::normalize(ctx, Flat(next.data(), size), 1e-7, Flat(x.data(), size));
    for (int i = 0; i < 5; ++i) {
      ops::gemm<Product>(ctx, x, x, gram, {.transpose_a = !wide, .transpose_b = wide});
      ops::gemm<Product>(ctx, gram, gram, sum);
      ops::axpby(ctx, T(b), gram, T(c), sum);
      ops::axpby(ctx, T(a), x, T(0), next);
      ops::gemm<Product>(ctx, wide ? sum : x, wide ? x : sum, next, {.accumulate = true});
      std::swap(x, next);
    }
    return x;
  }

  MuonOptions options_;
  Parameters<Model, Backend, T> first_;  // momentum of the matrices, AdamW's first moment of the rest
  Parameters<detail::WithoutMatrices<Model>, Backend, T> second_;
  Buffer<T, typename Backend::memory_space> work_;  // two matrices, two Gram matrices
  std::int64_t step_ = 0;
};

}  // namespace stlm
