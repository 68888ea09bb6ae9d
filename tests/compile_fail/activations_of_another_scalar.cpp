// expect: stlm::Activations: on this backend weights of this scalar have other activations than were planned
#include <stlm/backend/eigen.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/models/program.hpp>

struct Tiny : stlm::ByteModelDefaults {
  static constexpr int dim = 8, layers = 1, heads = 1, ffn_dim = 8;
};
using Model = stlm::ByteModel<Tiny>;
using Backend = stlm::EigenBackend;
#ifdef STLM_FIXED
using Scalar = float;
#else
using Scalar = double;
#endif

float loss(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params, const stlm::Batch& batch,
           stlm::Activations<Model, Backend, Scalar>& acts) {
  return static_cast<float>(stlm::forward(ctx, params, batch, acts));
}
