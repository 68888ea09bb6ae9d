// Token embeddings of models b and c. Bytes count each table row that is read once, and no other rows.
#include <stlm/nn/embedding.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

template <class Config>
void add_embedding_layer(const std::string& name) {
  using M = stlm::TokenEmbedding<Config::vocabulary, Config::dim>;
  using Data = bench::ModuleData<M, 0, Config::dim>;
  static constexpr bench::Pass pass{Config::shape.batch, Config::shape.tokens};
  constexpr double tokens = pass.rows(), size = tokens * Config::dim;
  bench::add_body(name + "/forward", 2, [](benchmark::State& state, int threads) {
    Data d(threads, pass);
    const auto ids = bench::tokens(pass.rows(), Config::vocabulary);
    const double rows = bench::distinct(ids) * Config::dim;
    bench::measure(state, threads, {.bytes = 4 * (size + rows), .tokens = tokens},
                   [&] { M::forward(d.ctx, d.params.tree(), pass, bench::sequences(ids, pass.batch), d.y, d.cache); });
  });
  bench::add_body(name + "/backward", 2, [](benchmark::State& state, int threads) {
    Data d(threads, pass);
    const auto ids = bench::tokens(pass.rows(), Config::vocabulary);
    const double rows = bench::distinct(ids) * Config::dim;
    bench::measure(state, threads, {.bytes = 4 * (size + 2 * rows), .tokens = tokens, .moves = bench::Moves::kUpdate}, [&] {
      M::backward(d.ctx, d.params.tree(), pass, bench::sequences(ids, pass.batch), d.dy, d.cache, d.grads.tree());
    });
  });
}

const bench::Suite embedding_layers([] {
  add_embedding_layer<bench::B>("embedding/b");
  add_embedding_layer<bench::C>("embedding/c");
});

}  // namespace
