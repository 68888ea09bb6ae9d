// expect: stlm::TensorView: wrong inner dimension
#include <stlm/core/tensor_view.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index width = 256;
#else
constexpr stlm::Index width = 128;
#endif

void layer(stlm::View<const float, stlm::dynamic, 256> input);

void model(stlm::View<float, stlm::dynamic, width> input) { layer(input); }
