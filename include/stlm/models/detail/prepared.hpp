// The checks before a pass: that batch, parameters and Activations belong together.
#pragma once

#include <algorithm>

#include <stlm/core/scalar.hpp>
#include <stlm/models/language_model.hpp>
#include <stlm/ops/detail/token_check.hpp>

namespace stlm::detail {

/// The number of ids in one token of the model; a patch has several.
template <class Model>
constexpr Index ids_of_token() {
  if constexpr (requires { Model::window; })
    return Model::window;
  else
    return 1;
}
/// The number of targets that count.
template <class Model>
Index count_targets(const Batch& batch) {
  if constexpr (requires { Model::count_targets(batch); })
    return Model::count_targets(batch);
  else
    return batch.targets.size() - std::count(batch.targets.begin(), batch.targets.end(), Model::ignore);
}

/// Compiles only if parameters P belong to Activations<Model, B, S>.
template <class Model, class B, class S, class P>
constexpr void expect_weights() {
  static_assert(std::is_same_v<typename P::Tree, typename Model::template Params<typename P::scalar>>,
                "stlm::forward: the parameters are those of another model than the activations; give both one model.");
  expect_scalar<B, S, P>();
}

template <class Model, class B, class S>
void expect_shape(const char* who, const Batch& batch, const Activations<Model, B, S>& acts) {
  constexpr Index slots = ids_of_token<Model>();
  expect(batch.tokens.extent(0) == acts.pass().batch && batch.tokens.extent(1) == acts.pass().tokens * slots &&
             batch.targets.extents() == batch.tokens.extents(),
         "stlm::", who, ": expected a batch of ", acts.pass().batch, " sequences of ", acts.pass().tokens * slots,
         " tokens with as many targets, found ", batch.tokens.extent(0), " of ", batch.tokens.extent(1),
         ", and targets ", batch.targets.extent(0), " of ", batch.targets.extent(1),
         "; build Activations for the batch's shape.");
}

/// Throws Error if an id is outside the vocabulary, while the ids are on the host: a device reports it only when the host
/// waits, after computing with the id.
template <class Model>
void expect_ids([[maybe_unused]] const Batch& batch) {
  if constexpr (requires { Model::vocabulary + Model::ignore; }) {
    const auto& [tokens, targets] = batch;
    ops::expect_tokens("ops::embedding_forward", tokens.data(), tokens.size(), Model::vocabulary, 0);
    constexpr Token uncounted = requires { Model::window; } ? Token{0} : Model::ignore;  // empty slots hold pads
    ops::expect_tokens("ops::cross_entropy_forward", targets.data(), targets.size(), Model::vocabulary, uncounted);
  }
}

/// Lays out `acts` for a batch, which must have the planned shape. The results of an earlier forward pass are given up.
template <class P, class Model, class B, class S>
void prepare(const Batch& batch, Activations<Model, B, S>& acts) {
  expect_weights<Model, B, S, P>();
  expect_shape("forward", batch, acts);
  expect_ids<Model>(batch);
  acts.take_forward();
  if constexpr (requires { Model::rows_needed(batch); }) {
    const auto [read, predicted] = Model::rows_needed(batch);
    acts.fit(read, predicted);
  }
}

/// Returns the summed cross-entropy of a batch, and leaves in `acts` all that backward needs.
template <class Model, class B, class S, class P>
auto forward_sum(Context<B>& ctx, const P& params, const Batch& batch, Activations<Model, B, S>& acts) {
  prepare<P>(batch, acts);
  return Model::forward(ctx, params.tree(), acts.pass(), batch, acts.cache());
}

/// Compiles only for weights that backward can differentiate. Throws Error if `acts` hold no forward pass for it.
template <class P, class Model, class B, class S>
void expect_forward(Activations<Model, B, S>& acts) {
  static_assert(!std::is_same_v<typename P::scalar, Int8>,
                "stlm::backward: weights of 8 bits are for inference; differentiate those of float or Bfloat16.");
  expect<Error>(acts.take_forward(), "stlm::backward: these activations hold no forward pass that is not taken; call "
                "forward with the same batch before each backward, and nothing else with them in between.");
}

}  // namespace stlm::detail
