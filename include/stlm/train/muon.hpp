// Muon (Jordan et al. 2024): momentum, orthogonalised, for the matrices; AdamW for everything else.
//
//   m = mu m + g,   u = g + mu m,   w = (1 - lr decay) w - lr sqrt(max(1, rows / cols)) orthogonalise(u)
//
// orthogonalise(u) sets X = u / (|u| + 1e-7), Frobenius norm, and takes five Newton-Schulz steps, which bring all
// singular values near 1 (between about 0.7 and 1.2):
//   X <- a X + (b G + c G G) X,  G = X X^T        or, when rows > cols,  X <- a X + X (b G + c G G),  G = X^T X
//
// Matrices are the tensors of Role::kMatrix and rank 2; those that `row_parts` says are stacked, as Q, K and V, are
// orthogonalised each on its own, those of one shape together in batches. Tables, gains and biases take AdamW's step, with
// its options.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

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
  static_assert(detail::visited<Model>(detail::PartsFit{}).all,
                "stlm::Muon: the row_parts of a tensor do not add up to its rows; correct its ParameterSpec.");

 public:
  using Options = MuonOptions;

  Muon(Context<Backend>& ctx, const Options& options = {})
      : options_(options),
        first_(ctx),
        second_(ctx),
        batches_(detail::muon_batches(first_, ops::batch_numbers<Backend>)),
        most_(largest(&detail::MuonBatch::step)),
        most_gram_(largest(&detail::MuonBatch::gram_step)),
        momentum_(most_),
        work_(2 * most_ + 2 * most_gram_),
        state_(1) {
    expect<Error>(detail::finite_from_zero(options.lr) && options.momentum >= 0 && options.momentum < 1 &&
                      detail::finite_from_zero(options.weight_decay),
                  "stlm::Muon: expected lr and weight_decay of at least 0, and a momentum from 0 to below 1, found ",
                  options.lr, ", ", options.weight_decay, " and ", options.momentum, ".");
    detail::expect_valid(options.adamw);
  }

  /// One step. `factor`, from a schedule, multiplies both learning rates.
  void step(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params,
            const Parameters<Model, Backend, T>& grads, double factor = 1) {
    detail::expect_factor("Muon", factor);
    set_value<Backend>(state_.data(), ops::StepState<T>::at(options_.adamw, factor, ++step_));
    update(ctx, ops::StepView<T>(state_.data()), params, grads, false, {});
  }
  /// The step that `ops::begin_step` began. Sets the gradients to zero if it `clears`; `rounded`, where it is given,
  /// becomes the new matrices in Bfloat16.
  void update(Context<Backend>& ctx, ops::StepView<T> state, const Parameters<Model, Backend, T>& params,
              const Parameters<Model, Backend, T>& grads, bool clears, View<Bfloat16, dynamic> rounded) {
    for (const detail::MuonBatch& batch : batches_) {
      const Index size = batch.size();
      const double ratio = static_cast<double>(batch.rows) / static_cast<double>(batch.cols);
      for (Index i = 0; const Index at : batch.at)
        ops::momentum(ctx, state, part(grads.flat(), at, size), options_.momentum, part(first_.flat(), at, size),
                      part(momentum_.view(), i++ * batch.step(), size), clears);
      const T* turned = orthogonalised(ctx, batch);
      for (const Index at : batch.at) {
        ops::descend(ctx, state, View<const T, dynamic>(turned, size), options_.lr * std::sqrt(std::max(1.0, ratio)),
                     options_.lr * options_.weight_decay, part(params.flat(), at, size));
        turned += batch.step();
      }
    }
    Index table = 0;  // where the next one's second moment begins
    params.for_each([&]<class Shape>(const Path&, const TensorView<T, Shape>& w, const ParameterSpec& spec) {
      if (Shape::rank < 2 || detail::is_muon_matrix<Shape>(spec)) return;
      const Index at = w.data() - params.flat().data();
      ops::adamw(ctx, state, Flat(w.data(), w.size()), part(grads.flat(), at, w.size()), part(first_.flat(), at, w.size()),
                 part(second_.flat(), table, w.size()), {true, clears});
      table += detail::aligned(w.size());
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

  static Flat part(Flat flat, Index begin, Index size) { return Flat(flat.data() + begin, size); }
  /// The numbers of the largest batch of matrices, or of Gram matrices.
  Index largest(Index (detail::MuonBatch::*numbers)() const) const {
    Index most = 0;
    for (const detail::MuonBatch& batch : batches_) most = std::max(most, batch.count() * (batch.*numbers)());
    return most;
  }

  /// The momentum of a batch, each matrix orthogonalised.
  const T* orthogonalised(Context<Backend>& ctx, const detail::MuonBatch& batch) {
    using Matrices = ops::MatrixBatch<Work>;
    constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
    const Index rows = batch.rows, cols = batch.cols, side = batch.side(), count = batch.count();
    const bool wide = rows <= cols;
    const auto all = [](const Matrices& x) { return View<Work, dynamic>(x.first.data, x.count * x.step); };
    Matrices x{{work_.data(), rows, cols, cols}, count, batch.step()}, next = x;
    next.first.data += most_;
    const Matrices gram{{work_.data() + 2 * most_, side, side, side}, count, batch.gram_step()};
    Matrices sum = gram;
    sum.first.data += most_gram_;

    for (Index i = 0; i < count; ++i)
      ops::normalize(ctx, part(momentum_.view(), i * batch.step(), batch.size()), 1e-7,
                     View<Work, dynamic>(x[i].data, batch.size()));
    for (int i = 0; i < 5; ++i) {
      ops::gemm<Product>(ctx, x, x, gram, {.transpose_a = !wide, .transpose_b = wide});
      ops::gemm<Product>(ctx, gram, gram, sum);
      ops::axpby(ctx, T(b), all(gram), T(c), all(sum));
      ops::axpby(ctx, T(a), all(x), T(0), all(next));
      ops::gemm<Product>(ctx, wide ? sum : x, wide ? x : sum, next, {.accumulate = true});
      std::swap(x, next);
    }
    if constexpr (std::is_same_v<Work, T>) {
      return x.first.data;
    } else {
      ops::convert(ctx, all(x), part(momentum_.view(), 0, count * batch.step()));
      return momentum_.data();
    }
  }

  Options options_;
  Parameters<Model, Backend, T> first_;  // momentum of the matrices, AdamW's first moment of the rest
  Parameters<detail::WithoutMatrices<Model>, Backend, T> second_;
  std::vector<detail::MuonBatch> batches_;
  Index most_, most_gram_;                              // numbers of the largest
  Buffer<T, typename Backend::memory_space> momentum_;  // of a batch
  Buffer<Work, typename Backend::memory_space> work_;   // two batches of matrices, two of Gram matrices
  Buffer<ops::StepState<T>, typename Backend::memory_space> state_;
  std::int64_t step_ = 0;
};

}  // namespace stlm
