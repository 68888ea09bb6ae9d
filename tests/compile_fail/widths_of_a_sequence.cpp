// expect: stlm::Sequential: the modules have different widths
#include <stlm/nn/block.hpp>
#include <stlm/nn/sequential.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index width = 64;
#else
constexpr stlm::Index width = 32;
#endif

template <stlm::Index Dim>
using Block = stlm::PreNormBlock<stlm::RmsNorm<Dim>, stlm::Attention<Dim, 2, 2, 16>, stlm::SwiGlu<Dim, 128>>;

constexpr stlm::Index size = stlm::num_params<stlm::Sequential<Block<64>, Block<width>>>;
