// expect: stlm::LatentConv: a width does not divide Latent
#include <stlm/nn/latent_core.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index width = 16;
#else
constexpr stlm::Index width = 20;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::LatentConv<48, 6, width, 3>>;
