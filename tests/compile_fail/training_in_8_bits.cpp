// expect: stlm::backward: weights of 8 bits are for inference
#include <stlm/backend/eigen.hpp>
#include <stlm/infer/quantized_weights.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>

struct Config : stlm::ByteModelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
};
using Model = stlm::ByteModel<Config>;
using Backend = stlm::EigenBackend;

#ifdef STLM_FIXED
using Weights = stlm::WorkingWeights<Model, Backend, stlm::Bfloat16>;
using Scalar = stlm::Bfloat16;
#else
using Weights = stlm::QuantizedWeights<Model, Backend>;
using Scalar = stlm::Int8;
#endif

void train(stlm::Context<Backend>& ctx, const Weights& weights, const stlm::Batch& batch,
           stlm::Activations<Model, Backend, Scalar>& acts, const stlm::Parameters<Model, Backend>& grads) {
  stlm::forward(ctx, weights, batch, acts);
  stlm::backward(ctx, weights, batch, acts, grads);
}
