// expect: stlm::Linear: expected In > 0 and Out > 0
#include <stlm/nn/linear.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index out = 1;
#else
constexpr stlm::Index out = 0;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::Linear<8, out>>;
