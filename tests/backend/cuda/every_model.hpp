// Runs every kind of model on any backend whose header is included before: a training step, files, generation. S: the scalar
// of the weights that products read.
#pragma once

#include <stlm/infer/answerer.hpp>
#include <stlm/infer/batch_generator.hpp>
#include <stlm/infer/patch_generator.hpp>
#include <stlm/infer/quantized_weights.hpp>
#include <stlm/io/weights.hpp>
#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>

#include "support/some_batch.hpp"

namespace stlm::test {

inline constexpr BatchShape every_shape{3, 9};

/// The results of one training step with dropout.
struct StepResult {
  float loss = 0;
  std::vector<float> grads, weights;
};

/// Saves the weights to the file `save_to`, then loads those of the result from `load_from`; an empty name skips this.
template <class Model, class B, class S = float>
StepResult one_step(const std::string& save_to, const std::string& load_from) {
  Context<B> ctx{{.threads = 2, .seed = 5}};
  Parameters<Model, B> params{ctx}, grads{ctx};
  Activations<Model, B, S> acts{ctx, every_shape};
  init(ctx, params);
  const WorkingWeights<Model, B, S> weights{ctx, params};
  StepResult result;
  const auto some = some_batch<Model>(every_shape);
  if constexpr (requires { typename Model::Encoder; }) {
    result.loss = forward(ctx, weights, some.view(), acts, {.dropout = 0.1});
    backward(ctx, weights, some.view(), acts, grads);
  } else {
    result.loss = forward_backward(ctx, weights, some.view(), acts, grads, 1, {.dropout = 0.1});
  }
  if (!save_to.empty()) save(params, save_to);
  if (!load_from.empty()) {
    params.zero(ctx);
    load(params, SafetensorsFile(load_from));
  }
  const auto on_host = [](View<float, dynamic> numbers) {
    std::vector<float> copy(static_cast<std::size_t>(numbers.size()));
    B::memory_space::to_host(copy.data(), numbers.data(), copy.size() * sizeof(float));
    return copy;
  };
  result.grads = on_host(grads.flat());
  result.weights = on_host(params.flat());
  return result;
}

template <class Model, class B, class S>
using WeightsOf = std::conditional_t<std::is_same_v<S, Int8>, QuantizedWeights<Model, B>, WorkingWeights<Model, B, S>>;

/// Logits after each portion of a text that is longer than the generator remembers.
template <class Model, class B, class S = float>
std::vector<std::vector<float>> logits_along() {
  Context<B> ctx({.threads = 2, .seed = 5});
  Parameters<Model, B> params(ctx);
  init(ctx, params);
  const WeightsOf<Model, B, S> weights(ctx, params);
  std::vector<std::vector<float>> all;
  const auto keep = [&](const auto& generator) {
    all.emplace_back(generator.logits().begin(), generator.logits().end());
  };
  if constexpr (requires { typename Model::Encoder; }) {
    Answerer<Model, B, S> answerer(ctx, 12);
    answerer.ask(ctx, weights, std::vector<Token>{1, 2, 3, 2, 5});
    for (const Token token : {2, 3, 1}) keep(answerer), answerer.feed(ctx, weights, token);
    keep(answerer);
  } else if constexpr (requires { Model::window; }) {
    PatchGenerator<Model, B, S> generator(ctx, 5);
    generator.reset(ctx, weights);
    generator.feed(ctx, weights, "Once upon a time a ");
    for (const char c : {'c', 'a', 't', ' '}) keep(generator), generator.push(ctx, weights, c);
    keep(generator);
  } else {
    Generator<Model, B, S> generator(ctx, 6);
    for (const Index count : {3, 1, 1, 4}) {
      generator.feed(ctx, weights, some_tokens(count, Model::vocabulary, {8, static_cast<std::uint32_t>(count)}));
      keep(generator);
    }
  }
  return all;
}

/// Continues three texts, at once or one after another.
template <class B, class S = float>
std::vector<std::string> some_texts(bool at_once = true) {
  Context<B> ctx({.seed = 5});
  Parameters<Talking, B> params(ctx);
  init(ctx, params);
  const WorkingWeights<Talking, B, S> weights(ctx, params);
  BatchGenerator<Talking, B, S> generator(ctx, 3, 9);
  const std::vector<std::string> prompts{"One", "two words", ""};
  std::vector<std::string> texts(prompts.size());
  for (std::size_t i = 0; i < prompts.size(); i += at_once ? prompts.size() : 1)
    generator.generate(ctx, weights, std::span(prompts).subspan(i, at_once ? prompts.size() : 1),
                       {.max_bytes = 12, .temperature = 0.7, .seed = i},
                       [&](Index text, char c) {
                         const std::size_t id = i + static_cast<std::size_t>(text);
                         texts[id] += c;
                         return id != 1 || texts[id].size() < 6;
                       });
  return texts;
}

}  // namespace stlm::test
