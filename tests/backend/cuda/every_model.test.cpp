// Every kind of model on the kernels of CudaBackend, in memory the host may not touch: training, files, generation.
// What they compute is what EigenBackend computes.

#include <stlm/backend/cuda_emulated.hpp>
#include <stlm/backend/eigen.hpp>
#include <stlm/infer/answerer.hpp>
#include <stlm/infer/batch_generator.hpp>
#include <stlm/infer/patch_generator.hpp>
#include <stlm/io/weights.hpp>
#include <stlm/models/program.hpp>

#include "io/temporary_folder.hpp"
#include "models/small_next_thought.hpp"
#include "support/catch.hpp"
#include "support/patch_models.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Emulated = EmulatedCudaBackend;
constexpr BatchShape shape{3, 9};

struct Protected {
  Protected() { EmulatedSpace::protect(); }
  ~Protected() { EmulatedSpace::protect(false); }
};

template <class Model>
auto batch_of() {
  if constexpr (requires { Model::window; })
    return SomePatches(shape, Model::window);
  else if constexpr (requires { typename Model::Encoder; })
    return SomePairs(shape, 6, Model::ignore);
  else
    return SomeBatch(shape, Model::vocabulary);
}

template <class B>
std::vector<float> on_host(View<float, dynamic> numbers) {
  std::vector<float> copy(static_cast<std::size_t>(numbers.size()));
  B::memory_space::to_host(copy.data(), numbers.data(), copy.size() * sizeof(float));
  return copy;
}

/// A model with its loss and gradients after one step.
template <class Model, class B>
struct Run {
  Context<B> ctx{{.threads = 2, .seed = 5}};
  Parameters<Model, B> params{ctx}, grads{ctx};
  Activations<Model, B> acts{ctx, shape};
  float loss = 0;

  Run() {
    init(ctx, params);
    const auto some = batch_of<Model>();
    if constexpr (requires { typename Model::Encoder; }) {
      loss = forward(ctx, params, some.view(), acts, {.dropout = 0.1});
      backward(ctx, params, some.view(), acts, grads);
    } else {
      loss = forward_backward(ctx, params, some.view(), acts, grads, 1, {.dropout = 0.1});
    }
  }
};

template <class Model>
void check_training() {
  const Protected device;
  const Run<Model, EigenBackend> expected;
  Run<Model, Emulated> found;
  CHECK(found.loss == Approx(expected.loss).epsilon(2e-5));
  CHECK(deviation(expected.grads.flat(), on_host<Emulated>(found.grads.flat())) < 2e-5);

  const TemporaryFolder folder;
  save(found.params, folder / "model.safetensors");
  Run<Model, EigenBackend> read;
  load(read.params, SafetensorsFile(folder / "model.safetensors"));
  CHECK(on_host<EigenBackend>(read.params.flat()) == on_host<EigenBackend>(expected.params.flat()));
  found.params.zero(found.ctx);
  load(found.params, SafetensorsFile(folder / "model.safetensors"));
  CHECK(on_host<Emulated>(found.params.flat()) == on_host<EigenBackend>(expected.params.flat()));
}

}  // namespace

TEMPLATE_TEST_CASE("every model, emulated: flat ones", "[cuda][models]", Plain, Grouped, Learned, Sinusoidal, Windowed,
                   Interior, Repeated, Lean, Mixture, Experts) {
  check_training<TestType>();
}
TEMPLATE_TEST_CASE("every model, emulated: patches", "[cuda][models]", SpacePatches, TokenPatches, ParallelPatches,
                   QuirkyPatches, ReconstructingPatches, StridePatches) {
  check_training<TestType>();
}
TEMPLATE_TEST_CASE("every model, emulated: next thoughts", "[cuda][models]", Thought, QuirkyThought) {
  check_training<TestType>();
}

namespace {

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

std::vector<std::string> texts(auto& ctx) {
  using B =
      std::conditional_t<std::is_same_v<std::remove_cvref_t<decltype(ctx)>, Context<Emulated>>, Emulated, EigenBackend>;
  Parameters<Talking, B> params(ctx);
  init(ctx, params);
  std::vector<std::string> texts(3);
  BatchGenerator<Talking, B>(ctx, 3, 7).generate(
      ctx, params, std::vector<std::string>{"One", "two words", ""}, {.max_bytes = 12, .temperature = 0.7},
      [&](Index text, char c) { texts[static_cast<std::size_t>(text)] += c; });
  return texts;
}

}  // namespace

TEMPLATE_TEST_CASE("every model, emulated: what follows a text", "[cuda][models]", Plain, Grouped, Learned, Windowed,
                   Experts, SpacePatches, StridePatches, Thought) {
  const Protected device;
  const auto expected = logits_along<TestType, EigenBackend>(), found = logits_along<TestType, Emulated>();
  REQUIRE(expected.size() == found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(deviation(expected[i], found[i]) < 2e-5);
}

TEST_CASE("every model, emulated: several texts at once", "[cuda][models]") {
  const Protected device;
  Context<EigenBackend> host({.seed = 5});
  Context<Emulated> emulated({.seed = 5});
  const auto expected = texts(host);
  CHECK(expected[0].size() == 12);
  CHECK(texts(emulated) == expected);
}
