// Two small next-thought models against PyTorch (make_next_thought.py): logits, loss, every gradient, ten AdamW losses.
#include "golden/models.hpp"

#include <stlm/models/next_thought.hpp>

namespace {

using namespace stlm;

struct Default : NextThoughtDefaults {
  static constexpr const char* file = "next_thought.safetensors";
  static constexpr int vocabulary = 19, dim = 12, heads = 3, kv_heads = 1, ffn_dim = 20, max_tokens = 10;
  static constexpr int prefixes = 3, decoder_layers = 2, pool_heads = 3;
  static constexpr Token pad = 0;
  static constexpr PoolShape pools[] = {{18, 300}, {24, 400}};
};

/// The reference's behaviour. It does not mask padding; the batch shows that: padded questions of one length.
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
  CAPTURE(Config::file);
  const golden::File file(Config::file);
  const auto questions = file.values<Token>("questions"), sizes = file.values<Token>("lengths");
  const auto answers = file.values<Token>("answers");
  const std::vector<Index> lengths(sizes.begin(), sizes.end());
  const auto batch = std::ssize(lengths);
  const PairBatch pairs{{questions.data(), std::ssize(questions)}, {lengths.data(), batch}, {answers.data(), batch, 5}};
  REQUIRE(std::ssize(answers) == batch * 5);
  golden::check_model<NextThought<Config>, Numbers>(file, pairs, {batch, 9},
                                                    [](const auto& cache) { return cache.decoder.head.logits; });
}

}  // namespace

TEMPLATE_TEST_CASE("next-thought models equal PyTorch's", "[golden]", golden::ReferenceDouble, golden::EigenDouble,
                   golden::EigenFloat) {
  check_against_golden<Default, TestType>();
  check_against_golden<Quirks, TestType>();
}
