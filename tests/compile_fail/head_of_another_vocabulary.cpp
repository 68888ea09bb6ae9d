// expect: stlm::LanguageModel: the head predicts another vocabulary than the embedding reads
#include <stlm/models/language_model.hpp>
#include <stlm/nn/block.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index predicted = 256;
#else
constexpr stlm::Index predicted = 258;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<64>, stlm::Attention<64, 2, 2, 16>, stlm::SwiGlu<64, 128>>;
using Model = stlm::LanguageModel<stlm::TokenEmbedding<256, 64>, Block, stlm::Head<stlm::RmsNorm<64>, 64, predicted>>;

constexpr stlm::Index size = Model::vocabulary;
