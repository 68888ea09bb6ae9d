// expect: stlm::NextThoughtModel: the decoder reads another width than the encoder's last pool has
#include <stlm/models/next_thought.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index seen = 16;
#else
constexpr stlm::Index seen = 12;
#endif

using Embedding = stlm::TokenEmbedding<258, 8>;
using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>>;
using Encoder = stlm::LatentEncoder<Embedding, Block, stlm::AttentionPool<8, 16, 2, 500>>;
using Decoder = stlm::LatentDecoder<seen, 2, Embedding, Block, stlm::Head<stlm::RmsNorm<8>, 8, 258>>;

constexpr stlm::Index size = stlm::NextThoughtModel<Encoder, stlm::LatentMlp<16>, Decoder, 256>::vocabulary;
