// expect: stlm::gradient_error: M is no module of the residual stream
#include <stlm/backend/reference.hpp>
#include <stlm/eval/gradient_check.hpp>
#include <stlm/nn/block.hpp>

#ifdef STLM_FIXED
using Module = stlm::PreNormBlock<stlm::RmsNorm<4>, stlm::Attention<4, 2, 2, 2>, stlm::SwiGlu<4, 8>>;
#else
using Module = stlm::SwiGlu<4, 8>;
#endif

double largest() { return stlm::gradient_error<Module, stlm::ReferenceBackend>({1, 2}).largest; }
