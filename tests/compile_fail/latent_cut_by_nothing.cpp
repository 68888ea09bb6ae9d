// expect: stlm::LatentConv: expected at least one width
#include <stlm/nn/latent_core.hpp>

#ifdef STLM_FIXED
using Core = stlm::LatentConv<48, 6>;
#else
using Core = stlm::LatentConv<48>;
#endif

constexpr stlm::Index size = stlm::num_params<Core>;
