// expect: stlm::NextThoughtModel: its loss is that of the answers alone
#include <stlm/models/next_thought.hpp>
#include <stlm/nn/mixture_of_experts.hpp>

struct Small : stlm::NextThoughtDefaults {
  static constexpr int dim = 8, heads = 2, ffn_dim = 12;
  static constexpr stlm::PoolShape pools[] = {{12, 300}, {16, 500}};
};
using Parts = stlm::detail::NextThoughtParts<Small>;

#ifdef STLM_FIXED
using Ffn = stlm::SwiGlu<8, 12>;
#else
using Ffn = stlm::MixtureOfExperts<stlm::SwiGlu<8, 12>, 4, 2>;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, Ffn>;
using Decoder = stlm::LatentDecoder<16, 2, Parts::Embedding, stlm::Repeat<2, Block>, Parts::Output>;
constexpr stlm::Index size = stlm::num_params<stlm::NextThoughtModel<Parts::Encoder, stlm::LatentMlp<16>, Decoder, Small::pad>>;
