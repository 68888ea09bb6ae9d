// expect: stlm::Repeat: expected at least one layer
#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index layers = 1;
#else
constexpr stlm::Index layers = 0;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>>;
constexpr stlm::Index size = stlm::num_params<stlm::Repeat<layers, Block>>;
