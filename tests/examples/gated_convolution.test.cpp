// The example's block: its gradients, and decoding against the full pass, as a user would test a block of their own.
#include "../../examples/07_custom_block/gated_convolution.hpp"

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"
#include "support/planned.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {
using Convolution = GatedConvolution<5, 3>;
}

static_assert(StreamModule<Convolution>);
static_assert(num_params<Convolution> == 5 + 25 + 15);

TEST_CASE("GatedConvolution: gradients", "[examples][gradient]") {
  check_gradients<Stream<Convolution>>({2, 5});
  check_gradients<Stream<Sequential<Convolution, Convolution>>>({1, 2});
}

TEST_CASE("GatedConvolution: backends agree", "[examples][parity]") { check_backends<Stream<GatedConvolution<33, 4>>>(); }

TEST_CASE("GatedConvolution: decoding in pieces of any size equals the full pass", "[examples][decode]") {
  using B = ReferenceBackend;
  Fixture<Stream<Convolution>, B, double> full({2, 9});
  full.forward();
  for (const std::vector<Index>& pieces : {std::vector<Index>(9, 1), {1, 5, 3}, {4, 1, 1, 2, 1}}) {
    const DecodeState<Convolution, double> state(2, 9);
    Index position = 0;
    for (const Index piece : pieces) {
      Fixture<Stream<Convolution>, B, double> part({2, piece});
      for (Index b = 0; b < 2; ++b) std::copy_n(&full.x(b * 9 + position, 0), piece * 5, &part.x(b * piece, 0));
      Convolution::decode(part.ctx, full.params.tree(), Pass{2, piece, position}, View<const double, dynamic, 5>(part.x), part.y,
                          part.acts.cache(), state.cache);
      for (Index b = 0; b < 2; ++b)
        CHECK(std::equal(&part.y(b * piece, 0), &part.y(b * piece, 0) + piece * 5, &full.y(b * 9 + position, 0)));
      position += piece;
    }
  }
}

TEST_CASE("GatedConvolution: texts are generated as from full passes, one alone and several at once", "[examples][infer]") {
  using Model = LanguageModel<TokenEmbedding<258, 8>, Sequential<GatedConvolution<8, 3>, GatedConvolution<8, 4>>,
                              Head<RmsNorm<8>, 8, 258>>;
  using B = ReferenceBackend;
  Context<B> ctx;
  Parameters<Model, B> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  const std::string text = "a convolution sees the last few";
  Generator<Model, B> generator(ctx, 64);
  for (std::size_t size = 1; size <= text.size(); ++size) {
    generator.feed(ctx, params, ByteTokenizer::encode(text.substr(size - 1, 1)));
    Activations<Model, B> full(ctx, {1, static_cast<Index>(size)});
    const auto tokens = ByteTokenizer::encode(text.substr(0, size));
    Model::logits(ctx, params.tree(), full.pass(), {tokens.data(), 1, std::ssize(tokens)}, full.cache());
    const auto& logits = full.cache().head.logits;
    CHECK(deviation(std::vector<float>(logits.end() - 258, logits.end()), generator.logits()) < 1e-5);
  }
  const std::vector<std::string> prompts = {"one", "and another", "x"};
  std::vector<std::string> together(3);
  const SampleOptions options{.max_bytes = 12, .seed = 4};
  BatchGenerator<Model, B>(ctx, 3, 64).generate(ctx, params, prompts, options,
                                                [&](Index i, char c) { together[static_cast<std::size_t>(i)] += c; });
  for (std::size_t i = 0; i < 3; ++i) {
    SampleOptions own = options;
    own.seed += i;
    CHECK(together[i] == sample(ctx, params, prompts[i], 64, own));
  }
}
