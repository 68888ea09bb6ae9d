// expect: stlm::TensorView: wrong inner dimension
#include <stlm/backend/reference.hpp>
#include <stlm/nn/linear.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index width = 256;
#else
constexpr stlm::Index width = 128;
#endif

using Layer = stlm::Linear<256, 10>;

void layer(stlm::Context<stlm::ReferenceBackend>& ctx, const Layer::Params<float>& params,
           stlm::View<float, stlm::dynamic, width> x, stlm::View<float, stlm::dynamic, 10> y) {
  Layer::forward(ctx, params, stlm::Pass{}, x, y, stlm::Empty{});
}
