// expect: stlm::SlidingWindow: expected a Window of at least one token
#include <stlm/nn/attention.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index window = 1;
#else
constexpr stlm::Index window = 0;
#endif
constexpr stlm::Index size = stlm::SlidingWindow<window>::window;
