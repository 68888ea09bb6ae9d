// Evaluation of a whole held-out text: every token is scored exactly once, with a stated minimum context.
//
// Windows of T tokens advance by T - context. In every window but the first, only the last T - context targets count, so
// the model predicts each from at least `context` tokens before it (fewer only at the beginning of the text). The input for
// the first target is the token before the text in the text it was cut from, or an end of text.
#pragma once

#include <numbers>

#include <stlm/data/flat_text.hpp>
#include <stlm/data/patch_text.hpp>
#include <stlm/models/program.hpp>

namespace stlm {

struct Evaluation {
  double nats = 0;    ///< sum over all that is predicted: bytes or tokens, ends of text, predicted ends of patches
  Index tokens = 0;   ///< scored
  Index bytes = 0;    ///< of the text, whatever the tokenizer
  Index context = 0;  ///< least number of tokens that a prediction could read

  double nats_per_byte() const { return nats / static_cast<double>(bytes); }
  double bits_per_byte() const { return nats_per_byte() * std::numbers::log2e; }
};

namespace detail {
inline void expect_text(Index size) {
  expect<Error>(size > 0, "stlm::evaluate: there is no text to be predicted; give one that is not empty.");
}
}  // namespace detail

/// Scores `text` with windows of the shape of `acts`. `context` < T; -1 means 3/4 of T.
template <class Model, class B, class S, class P, FlatText Text>
Evaluation evaluate(Context<B>& ctx, const P& params, Activations<Model, B, S>& acts,
                    const Text& text, Index context = -1) {
  static_assert(!requires { Model::window; }, "stlm::evaluate: this is a model over patches; give it a stlm::PatchText.");
  if constexpr (requires { typename Model::Core; })
    static_assert(LooksBack<typename Model::Core>, "stlm::evaluate: this model sees the token that it is to predict, so the "
                  "score would mean nothing; give its attention a Causal mask, and LoraMixtures GateOf::kToken.");
  const Index batch = acts.pass().batch, tokens = acts.pass().tokens;
  if (context < 0) context = tokens * 3 / 4;
  expect<Error>(context < tokens, "stlm::evaluate: expected a context shorter than the window of ", tokens, ", found ",
                context, ".");
  detail::expect_text(text.size());
  Evaluation result{0, text.size(), text.num_bytes(), context};
  std::vector<Token> inputs(static_cast<std::size_t>(batch * tokens)), targets(inputs.size());
  for (Index scored = 0; scored < text.size();) {
    for (Index b = 0; b < batch; ++b) {
      const Index first = scored == 0 ? 0 : scored - context;  // target of the window's first position
      Token* const target = targets.data() + b * tokens;
      text.copy(first - 1, tokens, inputs.data() + b * tokens);
      text.copy(first, tokens, target);
      for (Index t = 0; t < tokens; ++t)
        if (first + t < scored || first + t >= text.size()) target[t] = Model::ignore;
      scored = std::min(first + tokens, text.size());
    }
    const Batch windows{{inputs.data(), batch, tokens}, {targets.data(), batch, tokens}};
    acts.pass().dropout = 0;
    result.nats += static_cast<double>(detail::forward_sum(ctx, params, windows, acts).sum);
  }
  return result;
}

/// Scores `text` with a model over patches: every symbol of every patch once, ends of patches included if the head
/// predicts them. `context` counts patches.
template <class Model, class B, class S, class P>
  requires requires { Model::window; }
Evaluation evaluate(Context<B>& ctx, const P& params, Activations<Model, B, S>& acts,
                    const PatchText& text, Index context = -1) {
  const Index batch = acts.pass().batch, patches = acts.pass().tokens, window = Model::window, size = patches * window;
  text.expect_cut_for<Model>("stlm::evaluate");
  if (context < 0) context = patches * 3 / 4;
  expect<Error>(context < patches, "stlm::evaluate: expected a context shorter than the window of ", patches,
                " patches, found ", context, ".");
  detail::expect_text(text.size());
  Evaluation result{0, text.num_tokens(), text.num_bytes(), context};
  std::vector<Token> inputs(static_cast<std::size_t>(batch * size)), targets(inputs.size());
  acts.pass().dropout = 0;
  for (Index scored = 0; scored < text.size();) {
    for (Index b = 0; b < batch; ++b) {
      const Index first = scored == 0 ? 0 : scored - context;  // target of the window's first position
      const Index end = std::min(first + patches, text.size());
      Token *const input = inputs.data() + b * size, *const target = targets.data() + b * size;
      std::fill_n(input, size, Model::pad);
      std::fill_n(target, size, Model::pad);
      if (scored == text.size()) continue;
      text.copy(first - 1, end - first, input);
      text.copy(scored, end - scored, target + (scored - first) * window);
      scored = end;
    }
    const Batch windows{{inputs.data(), batch, size}, {targets.data(), batch, size}};
    result.nats += static_cast<double>(detail::forward_sum(ctx, params, windows, acts).sum);
  }
  return result;
}

}  // namespace stlm
