// expect: stlm::Extents: a size is negative
#include <stlm/core/tensor_view.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index rows = stlm::dynamic;
#else
constexpr stlm::Index rows = -2;
#endif

constexpr int rank = stlm::View<float, rows, 256>::rank;
