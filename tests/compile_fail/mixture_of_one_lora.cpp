// expect: stlm::LoraMixture: expected Experts > 1 and Rank > 0
#include <stlm/nn/lora_mixture.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index experts = 2;
#else
constexpr stlm::Index experts = 1;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::LoraMixture<experts, 4>::Linear<8, 12>>;
