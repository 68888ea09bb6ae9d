// expect: stlm::LatentEncoder: expected at least one pool
#include <stlm/nn/block.hpp>
#include <stlm/nn/latent_encoder.hpp>

using Embedding = stlm::TokenEmbedding<7, 8>;
using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>>;

#ifdef STLM_FIXED
using Encoder = stlm::LatentEncoder<Embedding, Block, stlm::AttentionPool<8, 12, 2, 500>>;
#else
using Encoder = stlm::LatentEncoder<Embedding, Block>;
#endif

constexpr stlm::Index size = Encoder::latent;
