// expect: stlm::LatentDecoder: an answer's token would read those after it in the core
#include <stlm/nn/attention.hpp>
#include <stlm/nn/block.hpp>
#include <stlm/nn/head.hpp>
#include <stlm/nn/latent_decoder.hpp>
#include <stlm/nn/repeat.hpp>
#include <stlm/nn/swiglu.hpp>

#ifdef STLM_FIXED
using Mask = stlm::Causal;
#else
using Mask = stlm::Bidirectional;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4, stlm::Rotary<>, Mask>, stlm::SwiGlu<8, 12>>;
using Decoder = stlm::LatentDecoder<5, 2, stlm::TokenEmbedding<7, 8>, stlm::Repeat<2, Block>, stlm::Head<stlm::RmsNorm<8>, 8, 7>>;

constexpr stlm::Index size = Decoder::dim;
