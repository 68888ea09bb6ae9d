// Two small next-thought models against PyTorch (make_next_thought.py): logits, loss, every gradient, ten AdamW losses.
#include "golden/golden.hpp"

#include <stlm/models/next_thought.hpp>
#include <stlm/train/adamw.hpp>

namespace {

using namespace stlm;

struct Default : NextThoughtDefaults {
  static constexpr const char* file = "next_thought.safetensors";
  static constexpr int vocabulary = 19, dim = 12, heads = 3, kv_heads = 1, ffn_dim = 20, max_tokens = 10;
  static constexpr int prefixes = 3, decoder_layers = 2, pool_heads = 3;
  static constexpr Token pad = 0;
  static constexpr PoolShape pools[] = {{18, 300}, {24, 400}};
};

/// What the reference does; that its padding is not masked is in the batch: questions of one length, padded.
struct Quirks : Default {
  static constexpr const char* file = "next_thought_quirks.safetensors";
  using head_norm = NoNorm<1>;
  using head = Untied;
  using pool_order = ByScore;
  using answer_tokens = TokensTwice;
  template <Index Latent>
  using core = LatentConv<Latent, 4, 12, 3>;
};

template <class Config, class Numbers>
void check_against_golden() {
  using Model = NextThought<Config>;
  using Backend = typename Numbers::Backend;
  using T = typename Numbers::T;
  constexpr double tolerance = Numbers::tolerance;
  CAPTURE(Config::file);

  const golden::File file(Config::file);
  const auto questions = file.values<Token>("questions"), sizes = file.values<Token>("lengths");
  const auto answers = file.values<Token>("answers");
  const std::vector<Index> lengths(sizes.begin(), sizes.end());
  const PairBatch batch{{questions.data(), std::ssize(questions)}, {lengths.data(), 3}, {answers.data(), 3, 5}};
  REQUIRE(std::ssize(lengths) == 3);
  REQUIRE(std::ssize(answers) == 15);

  Context<Backend> ctx({.threads = 2});
  Parameters<Model, Backend, T> params(ctx), grads(ctx);
  Activations<Model, Backend, T> acts(ctx, {3, 9});
  file.load(params, "params.");

  for (int half = 0; half < 2; ++half) {  // gradients add up
    CHECK(forward(ctx, params, batch, acts) == Approx(file.values("loss")[0]).epsilon(tolerance));
    golden::File::compare("logits", acts.cache().decoder.head.logits, file.values("logits"), tolerance);
    backward(ctx, params, batch, acts, grads, 0.5);
  }
  file.check(grads, "grads.", tolerance);

  const std::vector<double> numbers = file.values("adamw"), losses = file.values("losses");
  AdamW<Model, Backend, T> optimizer(ctx, {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]});
  REQUIRE(losses.size() == 10);
  for (const double loss : losses) {
    optimizer.step(ctx, params, grads);
    CHECK(forward(ctx, params, batch, acts) == Approx(loss).epsilon(tolerance));
    grads.zero(ctx);
    backward(ctx, params, batch, acts, grads);
  }
}

}  // namespace

TEMPLATE_TEST_CASE("next-thought models equal PyTorch's", "[golden]", golden::ReferenceDouble, golden::EigenDouble,
                   golden::EigenFloat) {
  check_against_golden<Default, TestType>();
  check_against_golden<Quirks, TestType>();
}
