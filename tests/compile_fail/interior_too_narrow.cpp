// expect: stlm::SharedInterior: K is too large for the number of layers
#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#ifdef STLM_FIXED
using Sharing = stlm::SharedInterior<1>;
#else
using Sharing = stlm::SharedInterior<2>;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>, Sharing>;
constexpr stlm::Index size = stlm::num_params<stlm::Repeat<6, Block>>;
