// expect: stlm::forward: the parameters are those of another model than the activations
#include <stlm/backend/eigen.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/models/program.hpp>

template <int Layers>
struct Tiny : stlm::ByteModelDefaults {
  static constexpr int dim = 8, layers = Layers, heads = 1, ffn_dim = 8;
};
using Backend = stlm::EigenBackend;
using Model = stlm::ByteModel<Tiny<1>>;
#ifdef STLM_FIXED
using Other = Model;
#else
using Other = stlm::ByteModel<Tiny<2>>;
#endif

float loss(stlm::Context<Backend>& ctx, const stlm::Parameters<Other, Backend>& params, const stlm::Batch& batch,
           stlm::Activations<Model, Backend>& acts) {
  return stlm::forward(ctx, params, batch, acts);
}
