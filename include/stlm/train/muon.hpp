// Muon (Jordan et al. 2024): momentum, orthogonalised, for the matrices; AdamW for everything else.
//
//   m = mu m + g,   u = g + mu m,   w = (1 - lr decay) w - lr sqrt(max(1, rows / cols)) orthogonalise(u)
//
// orthogonalise(u) brings all singular values of u near 1 (train/detail/newton_schulz.hpp).
//
// Matrices are the tensors of Role::kMatrix and rank 2. If a tensor's `row_parts` say that it stacks several matrices, as
// of Q, K and V, each is orthogonalised on its own. Matrices of one shape are orthogonalised in batches. Tables, gains and
// biases take AdamW's step, with the options `adamw`.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <stlm/ops/elementwise.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/detail/newton_schulz.hpp>

namespace stlm {

struct MuonOptions {
  double lr = 0.02;  ///< of the matrices
  double momentum = 0.95;
  double weight_decay = 0;  ///< of the matrices
  AdamWOptions adamw = {};  ///< of all other tensors
};

/// `Product`: T or Bfloat16, the scalar to which the factors of the orthogonalisation's products are rounded; a GPU holds
/// all matrices of the orthogonalisation in it. The result is approximate either way.
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
        newton_schulz_(batches_),
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
  /// Updates the weights in the step that `ops::begin_step` began. `clears`: sets the gradients to zero. `rounded`, if
  /// given, receives the new matrices in Bfloat16.
  void update(Context<Backend>& ctx, ops::StepView<T> state, const Parameters<Model, Backend, T>& params,
              const Parameters<Model, Backend, T>& grads, bool clears, View<Bfloat16, dynamic> rounded) {
    for (const detail::MuonBatch& batch : batches_) {
      const Index size = batch.size();
      const double ratio = static_cast<double>(batch.rows) / static_cast<double>(batch.cols);
      for (Index i = 0; const Index at : batch.at)
        ops::momentum(ctx, state, part(grads.flat(), at, size), options_.momentum, part(first_.flat(), at, size),
                      newton_schulz_.matrix(batch, i++), clears);
      const T* turned = newton_schulz_.run(ctx, batch);
      for (const Index at : batch.at) {
        ops::descend(ctx, state, View<const T, dynamic>(turned, size), options_.lr * std::sqrt(std::max(1.0, ratio)),
                     options_.lr * options_.weight_decay, part(params.flat(), at, size));
        turned += batch.step();
      }
    }
    Index table = 0;  // where the next table's second moment begins
    params.for_each([&]<class Shape>(const Path&, const TensorView<T, Shape>& w, const ParameterSpec& spec) {
      if (Shape::rank < 2 || detail::is_muon_matrix<Shape>(spec)) return;
      const Index at = w.data() - params.flat().data();
      ops::adamw(ctx, state, Flat(w.data(), w.size()), part(grads.flat(), at, w.size()), part(first_.flat(), at, w.size()),
                 part(second_.flat(), table, w.size()), {true, clears});
      table += detail::aligned(w.size());
    });
    ops::adamw(ctx, state, params.vectors(), grads.vectors(), first_.vectors(), second_.vectors(),
               {options_.adamw.decay_vectors, clears});
    if (rounded) ops::convert(ctx, params.matrices(), rounded);
  }
  const AdamWOptions& adamw() const { return options_.adamw; }

  /// Calls `f(name, parameters)` for each set of moments. A checkpoint holds these and the step count.
  template <class F>
  void for_each_state(F&& f) {
    f("first", first_);
    f("second", second_);
  }
  std::int64_t step_count() const { return step_; }
  void set_step_count(std::int64_t steps) { step_ = steps; }

 private:
  using Flat = View<T, dynamic>;

  static Flat part(Flat flat, Index begin, Index size) { return Flat(flat.data() + begin, size); }

  Options options_;
  Parameters<Model, Backend, T> first_;  // momentum of the matrices, AdamW's first moment of the rest
  Parameters<detail::WithoutMatrices<Model>, Backend, T> second_;
  std::vector<detail::MuonBatch> batches_;
  detail::NewtonSchulz<Backend, T, Product> newton_schulz_;
  Buffer<ops::StepState<T>, typename Backend::memory_space> state_;
  std::int64_t step_ = 0;
};

}  // namespace stlm
