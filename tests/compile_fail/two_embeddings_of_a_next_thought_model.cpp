// expect: stlm::NextThoughtModel: encoder and decoder share one embedding
#include <stlm/models/next_thought.hpp>

#ifdef STLM_FIXED
using Position = stlm::LearnedPosition<16>;
#else
using Position = stlm::NoPosition;
#endif
using Questions = stlm::TokenEmbedding<258, 8, stlm::LearnedPosition<16>>;
using Answers = stlm::TokenEmbedding<258, 8, Position>;

using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>>;
using Encoder = stlm::LatentEncoder<Questions, Block, stlm::AttentionPool<8, 16, 2, 500>>;
using Decoder = stlm::LatentDecoder<16, 2, Answers, Block, stlm::Head<stlm::RmsNorm<8>, 8, 258>>;

constexpr stlm::Index size = stlm::NextThoughtModel<Encoder, stlm::LatentMlp<16>, Decoder, 256>::vocabulary;
