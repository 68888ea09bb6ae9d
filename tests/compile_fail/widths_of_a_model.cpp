// expect: stlm::LanguageModel: wrong inner dimension: embedding, core and head must have one width
#include <stlm/models/language_model.hpp>
#include <stlm/nn/block.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index width = 64;
#else
constexpr stlm::Index width = 32;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<64>, stlm::Attention<64, 2, 2, 16>, stlm::SwiGlu<64, 128>>;
using Model = stlm::LanguageModel<stlm::TokenEmbedding<256, width>, Block, stlm::Head<stlm::RmsNorm<64>, 64, 256>>;

constexpr stlm::Index size = Model::vocabulary;
