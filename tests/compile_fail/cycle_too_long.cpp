// expect: stlm::Cyclic: the Period is not less than the number of layers
#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#ifdef STLM_FIXED
using Sharing = stlm::Cyclic<5>;
#else
using Sharing = stlm::Cyclic<6>;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>>;
constexpr stlm::Index size = stlm::num_params<stlm::Repeat<6, Block, Sharing>>;
