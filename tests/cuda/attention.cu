// Every kernel of attention, as its ops launch them, compiled for the test cuda/ptxas_report_attention.
#include <stlm/backend/cuda.hpp>
#include <stlm/ops/attention.hpp>

using namespace stlm;

template <class S>
void run(Context<CudaBackend>& ctx, HeadsView<const float> x, HeadsView<float> y, View<float, dynamic> lse,
         const ops::AttentionShape& shape) {
  ops::attention_forward<S>(ctx, x, x, x, y, lse, shape);
  ops::attention_backward<S>(ctx, x, x, x, x, lse, x, y, y, y, shape);
}

template void run<float>(Context<CudaBackend>&, HeadsView<const float>, HeadsView<float>, View<float, dynamic>,
                         const ops::AttentionShape&);
template void run<Bfloat16>(Context<CudaBackend>&, HeadsView<const float>, HeadsView<float>, View<float, dynamic>,
                            const ops::AttentionShape&);
