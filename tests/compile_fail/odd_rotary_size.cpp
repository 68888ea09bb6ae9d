// expect: stlm::Attention: odd rotary size: rotary positions turn pairs, so HeadSize must be even.
#include <stlm/nn/attention.hpp>

#ifdef STLM_FIXED
using Position = stlm::NoPosition;
#else
using Position = stlm::Rotary<>;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::Attention<60, 4, 4, 15, Position>>;
