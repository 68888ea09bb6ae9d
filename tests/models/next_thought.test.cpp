#include <stlm/models/next_thought.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "models/small_next_thought.hpp"
#include "support/catch.hpp"
#include "support/every_use.hpp"

using namespace stlm;
using namespace stlm::test;

using Embedding = TokenEmbedding<11, 8, LearnedPosition<40>>;
template <class Mask>
using Block = PreNormBlock<RmsNorm<8>, Attention<8, 2, 2, 4, Rotary<>, Mask>, SwiGlu<8, 12>>;

// The defaults.
static_assert(std::is_same_v<Thought, NextThoughtModel<LatentEncoder<Embedding, Repeat<1, Block<Bidirectional>>,
                                                                    AttentionPool<8, 12, 4, 300>, AttentionPool<12, 16, 4, 500>>,
                                                      LatentMlp<16>,
                                                      LatentDecoder<16, 3, Embedding, Repeat<2, Block<Causal>>,
                                                                    Head<RmsNorm<8>, 8, 11>, TokensOnce>,
                                                      10>>);
// Every other choice of a configuration reaches its module.
static_assert(std::is_same_v<QuirkyThought::Core, LatentConv<16, 4, 8>>);
static_assert(std::is_same_v<QuirkyThought::Decoder,
                             LatentDecoder<16, 3, Embedding,
                                           Repeat<2, PreNormBlock<LayerNorm<8>, Attention<8, 2, 1, 4, NoPosition>, SwiGlu<8, 12>>>,
                                           Head<NoNorm<8>, 8, 11, Untied>, TokensTwice>>);
static_assert(std::is_same_v<QuirkyThought::Encoder,
                             Unpadded<LatentEncoder<Embedding,
                                                    Repeat<1, PreNormBlock<LayerNorm<8>, Attention<8, 2, 1, 4, NoPosition, Bidirectional>,
                                                                           SwiGlu<8, 12>>>,
                                                    AttentionPool<8, 12, 2, 300, ByScore>, AttentionPool<12, 16, 2, 500, ByScore>>>>);
static_assert(QuirkyThought::ignore == 10 && QuirkyThought::latent == 16);

namespace {
struct DefaultConfig : NextThoughtDefaults {
  static constexpr int dim = 8, heads = 2, ffn_dim = 12;
  static constexpr PoolShape pools[] = {{8, 500}};
};
using Default = NextThought<DefaultConfig>;
}  // namespace

// Counted by hand: table and positions, one block and four, one pool, the MLP, sixteen prefixes, the final norm.
static_assert(num_params<Default> == (258 + 512) * 8 + 5 * (4 * 64 + 3 * 96 + 16) + (4 * 72 + 16 + 32 * 9 + 8 * 33 + 16) +
                                         2 * 72 + 8 * 16 * 8 + 8);

TEST_CASE("NextThought: tensors are named after their place", "[models][next_thought]") {
  Context<ReferenceBackend> ctx;
  const auto names = stored_names(Parameters<Thought, ReferenceBackend>(ctx));
  for (const char* name : {"encoder.embedding.position.weight", "encoder.core.0.attention.qkv.weight", "encoder.pool.1.out_norm.bias",
                           "core.down.bias", "decoder.prefix.weight", "decoder.core.1.ffn.gate.weight", "decoder.head.norm.weight"})
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  CHECK(std::count(names.begin(), names.end(), "decoder.head.weight") == 0);  // tied
}
