// expect: stlm::NextThoughtModel: the head predicts another vocabulary than the embedding reads
#include <stlm/models/next_thought.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index seen = 258;
#else
constexpr stlm::Index seen = 20;
#endif

using Embedding = stlm::TokenEmbedding<seen, 8>;
using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>>;
using Encoder = stlm::LatentEncoder<Embedding, Block, stlm::AttentionPool<8, 16, 2, 500>>;
using Head = stlm::Head<stlm::RmsNorm<8>, 8, 258, stlm::Untied>;
using Decoder = stlm::LatentDecoder<16, 2, Embedding, Block, Head>;

constexpr stlm::Index size = stlm::NextThoughtModel<Encoder, stlm::LatentMlp<16>, Decoder, 256>::vocabulary;
