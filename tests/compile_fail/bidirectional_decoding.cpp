// expect: stlm::Attention: decoding token by token needs a Causal mask
#include <stlm/backend/reference.hpp>
#include <stlm/nn/attention.hpp>

#ifdef STLM_FIXED
using Mask = stlm::Causal;
#else
using Mask = stlm::Bidirectional;
#endif

using Layer = stlm::Attention<8, 2, 2, 4, stlm::Rotary<>, Mask>;
using Rows = stlm::View<float, stlm::dynamic, 8>;

void decode(stlm::Context<stlm::ReferenceBackend>& ctx, const Layer::Params<float>& params, Rows x, Rows y,
            const Layer::Cache<float>& cache, const Layer::KvCache<float>& state) {
  Layer::decode(ctx, params, stlm::Pass{}, x, y, cache, state);
}
