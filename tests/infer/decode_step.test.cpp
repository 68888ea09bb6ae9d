#include <stlm/infer/decode_step.hpp>

#include "support/planned.hpp"
#include "support/small_models.hpp"
#include "support/tested_backend.hpp"

#include "support/catch.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// As Plain, but with widths that a GPU reads in packets.
struct PacketsConfig : SmallConfig {
  static constexpr int dim = 32, ffn_dim = 48;
};
using Packets = ByteModel<PacketsConfig>;

/// Sequences to decode token by token, and the logits of the same tokens read at once.
template <class Model>
struct Beside {
  static constexpr Index sequences = 2, tokens = 6;
  Context<TestedBackend> ctx{{.threads = 2, .seed = 4}};
  Parameters<Model, TestedBackend> params{ctx};
  Activations<Model, TestedBackend> whole{ctx, {sequences, tokens}}, one{ctx, {sequences, 1}};
  DecodeState<Model> state{3, 10};
  DecodeStep<Model, TestedBackend> step{ctx, 3, 10};
  std::vector<Token> text = some_tokens(sequences * tokens, Model::vocabulary, {1, 2});

  Beside() {
    init(ctx, params);
    Model::logits(ctx, params.tree(), whole.pass(), {text.data(), sequences, tokens}, whole.cache());
  }
  float expected(Index b, Index t, Index v) const { return whole.cache().head.logits(b * tokens + t, v); }
};

}  // namespace

TEMPLATE_TEST_CASE("DecodeStep: token by token, the logits of the whole text", "[infer][decode_step]", Plain, Packets, Learned,
                   Sinusoidal, Windowed) {
  Beside<TestType> beside;
  for (Index t = 0; t < beside.tokens; ++t) {
    const Token now[] = {beside.text[static_cast<std::size_t>(t)], beside.text[static_cast<std::size_t>(beside.tokens + t)]};
    const Place places[] = {{2, t}, {0, t}};
    beside.step.run(beside.ctx, beside.params, now, places, beside.one.cache(), beside.state.cache);
    for (Index b = 0; b < 2; ++b)
      for (Index v = 0; v < TestType::vocabulary; ++v)
        CHECK(beside.one.cache().head.logits(b, v) == Approx(beside.expected(b, t, v)).margin(2e-5));
  }
}

#if defined(STLM_TEST_EMULATED)
template <int Layers>
struct Deep : PacketsConfig {
  static constexpr int layers = Layers;
};

TEST_CASE("DecodeStep: five kernels a layer", "[infer][decode_step]") {
  const auto launches = []<class Model>(std::type_identity<Model>) {
    Beside<Model> beside;
    const auto all = [&] {
      std::int64_t sum = 0;
      for (const auto& [name, counts] : beside.ctx.counts()) sum += counts.launches;
      return sum;
    };
    const std::int64_t before = all();
    const Token now[] = {3, 4};
    const Place places[] = {{2, 0}, {0, 0}};
    beside.step.run(beside.ctx, beside.params, now, places, beside.one.cache(), beside.state.cache);
    return all() - before;
  };
  CHECK(launches(std::type_identity<ByteModel<Deep<3>>>{}) - launches(std::type_identity<ByteModel<Deep<2>>>{}) == 5);
}
#endif

TEST_CASE("DecodeStep: refuses a place beyond the cache, in a replayed run as well", "[infer][decode_step]") {
  Beside<Plain> beside;
  const Token tokens[] = {3, 3};
  const auto run = [&](Place second) {
    const Place places[] = {{1, 0}, second};
    beside.step.run(beside.ctx, beside.params, tokens, places, beside.one.cache(), beside.state.cache);
  };
  run({0, 0});
  run({0, 1});
  CHECK_THROWS_WITH(run({0, 10}), "stlm::DecodeStep: sequence 0 at position 10 has no room for 1 more in a cache of 3 "
                                  "sequences of 10; plan for more.");
  CHECK_THROWS_AS(run({3, 2}), ShapeError);
  CHECK_NOTHROW(run({2, 9}));
}

TEST_CASE("DecodeStep: a recording is not replayed with other parameters, also where they are at the same address",
          "[infer][decode_step]") {
  Beside<Plain> beside;
  Parameters<Plain, TestedBackend> others(beside.ctx);
  init(beside.ctx, others);
  const Token token[] = {3, 3};
  const Place places[] = {{0, 0}, {1, 0}};
  const auto logit = [&](const auto& params) {
    for (int i = 0; i < 3; ++i) beside.step.run(beside.ctx, params, token, places, beside.one.cache(), beside.state.cache);
    return beside.one.cache().head.logits(0, 5);
  };
  const float first = logit(beside.params), second = logit(others);
  CHECK(second != first);
  CHECK(logit(beside.params) == first);
  std::swap(beside.params, others);
  CHECK(logit(beside.params) == second);
  Activations<Plain, TestedBackend> elsewhere(beside.ctx, {2, 1});
  std::swap(beside.one, elsewhere);
  CHECK(logit(beside.params) == second);
}

TEST_CASE("DecodeStep: refuses more sequences than it was made for, and tokens without a place", "[infer][decode_step]") {
  Context<TestedBackend> ctx;
  Parameters<Plain, TestedBackend> params(ctx);
  DecodeStep<Plain, TestedBackend> step(ctx, 1, 10);
  typename Plain::Cache<float> cache{};
  typename Plain::KvCache<float> state{};
  const Token tokens[] = {3, 3};
  const Place places[] = {{0, 0}, {1, 0}};
  CHECK_THROWS_AS(step.run(ctx, params, tokens, places, cache, state), ShapeError);
  CHECK_THROWS_AS(step.run(ctx, params, std::span(tokens).first(1), places, cache, state), ShapeError);
}
