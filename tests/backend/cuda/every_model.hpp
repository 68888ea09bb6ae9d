// What every kind of model computes, on any backend included before: a training step, files, generation.
#pragma once

#include <stlm/infer/answerer.hpp>
#include <stlm/infer/batch_generator.hpp>
#include <stlm/infer/patch_generator.hpp>
#include <stlm/io/weights.hpp>
#include <stlm/models/program.hpp>

#include "models/small_next_thought.hpp"
#include "support/patch_models.hpp"
#include "support/small_models.hpp"

namespace stlm::test {

inline constexpr BatchShape every_shape{3, 9};

template <class Model>
auto some_batch() {
  if constexpr (requires { Model::window; })
    return SomePatches(every_shape, Model::window);
  else if constexpr (requires { typename Model::Encoder; })
    return SomePairs(every_shape, 6, Model::ignore);
  else
    return SomeBatch(every_shape, Model::vocabulary);
}

/// What a model comes to in one step, with dropout.
struct StepResult {
  float loss = 0;
  std::vector<float> grads, weights;
};

/// Its weights are written to the file `save_to`, those after the step read from `load_from`, unless these are empty.
template <class Model, class B>
StepResult one_step(const std::string& save_to, const std::string& load_from) {
  Context<B> ctx{{.threads = 2, .seed = 5}};
  Parameters<Model, B> params{ctx}, grads{ctx};
  Activations<Model, B> acts{ctx, every_shape};
  init(ctx, params);
  StepResult result;
  const auto some = some_batch<Model>();
  if constexpr (requires { typename Model::Encoder; }) {
    result.loss = forward(ctx, params, some.view(), acts, {.dropout = 0.1});
    backward(ctx, params, some.view(), acts, grads);
  } else {
    result.loss = forward_backward(ctx, params, some.view(), acts, grads, 1, {.dropout = 0.1});
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

struct TalkingConfig : SmallConfig {
  static constexpr int vocabulary = 258, kv_heads = 2;
};
using Talking = ByteModel<TalkingConfig>;

/// Logits along a text that is read in portions, longer than the generator remembers.
template <class Model, class B>
std::vector<std::vector<float>> logits_along() {
  Context<B> ctx({.threads = 2, .seed = 5});
  Parameters<Model, B> params(ctx);
  init(ctx, params);
  std::vector<std::vector<float>> all;
  const auto keep = [&](const auto& generator) {
    all.emplace_back(generator.logits().begin(), generator.logits().end());
  };
  if constexpr (requires { typename Model::Encoder; }) {
    Answerer<Model, B> answerer(ctx, 12);
    answerer.ask(ctx, params, std::vector<Token>{1, 2, 3, 2, 5});
    for (const Token token : {2, 3, 1}) keep(answerer), answerer.feed(ctx, params, token);
    keep(answerer);
  } else if constexpr (requires { Model::window; }) {
    PatchGenerator<Model, B> generator(ctx, 5);
    generator.reset(ctx, params);
    generator.feed(ctx, params, "Once upon a time a ");
    for (const char c : {'c', 'a', 't', ' '}) keep(generator), generator.push(ctx, params, c);
    keep(generator);
  } else {
    Generator<Model, B> generator(ctx, 6);
    for (const Index count : {3, 1, 1, 4}) {
      generator.feed(ctx, params, some_tokens(count, Model::vocabulary, {8, static_cast<std::uint32_t>(count)}));
      keep(generator);
    }
  }
  return all;
}

/// Three texts at once.
template <class B>
std::vector<std::string> some_texts() {
  Context<B> ctx({.seed = 5});
  Parameters<Talking, B> params(ctx);
  init(ctx, params);
  std::vector<std::string> texts(3);
  BatchGenerator<Talking, B>(ctx, 3, 7).generate(
      ctx, params, std::vector<std::string>{"One", "two words", ""}, {.max_bytes = 12, .temperature = 0.7},
      [&](Index text, char c) { texts[static_cast<std::size_t>(text)] += c; });
  return texts;
}

}  // namespace stlm::test
