// expect: stlm::Lora: expected Rank > 0
#include <stlm/nn/lora.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index rank = 1;
#else
constexpr stlm::Index rank = 0;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::WithLora<stlm::Lora<rank, 2>>::Linear<8, 12>>;
