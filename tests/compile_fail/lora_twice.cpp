// expect: stlm::LoraLinear: a low-rank term stands beside the matrix already
#include <stlm/nn/lora.hpp>

#ifdef STLM_FIXED
using Base = stlm::WithBias;
#else
using Base = stlm::WithLora<stlm::Lora<4>>;
#endif

using Layer = stlm::WithLora<stlm::Lora<2>, Base>::Linear<8, 12>;
constexpr stlm::Index size = stlm::num_params<Layer>;
