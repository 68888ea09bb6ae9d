// expect: stlm::LatentDecoder: expected Prefixes > 0
#include <stlm/nn/block.hpp>
#include <stlm/nn/latent_decoder.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index prefixes = 1;
#else
constexpr stlm::Index prefixes = 0;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>>;
using Decoder = stlm::LatentDecoder<5, prefixes, stlm::TokenEmbedding<7, 8>, Block, stlm::Head<stlm::RmsNorm<8>, 8, 7>>;

constexpr stlm::Index size = Decoder::dim;
