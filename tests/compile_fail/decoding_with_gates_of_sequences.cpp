// expect: stlm::PreNormBlock: decoding token by token needs layers that see no later token
#include <stlm/backend/reference.hpp>
#include <stlm/nn/block.hpp>
#include <stlm/nn/lora_mixture.hpp>

#ifdef STLM_FIXED
constexpr stlm::GateOf gate = stlm::GateOf::kToken;
#else
constexpr stlm::GateOf gate = stlm::GateOf::kSequence;
#endif

using Ffn = stlm::SwiGlu<8, 12, stlm::LoraMixture<2, 4, 4, gate>>;
using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, Ffn>;
using Rows = stlm::View<float, stlm::dynamic, 8>;

void decode(stlm::Context<stlm::ReferenceBackend>& ctx, const Block::Params<float>& params, Rows x, Rows y,
            const Block::Cache<float>& cache, const Block::KvCache<float>& state) {
  Block::decode(ctx, params, stlm::Pass{}, x, y, cache, state);
}
