// expect: stlm::PatchModel: the length of a patch would be known before its bytes
#include <stlm/models/byte_level_model.hpp>

#ifdef STLM_FIXED
constexpr bool emits_end = true;
#else
constexpr bool emits_end = false;
#endif
using Core = stlm::PreNormBlock<stlm::RmsNorm<16>, stlm::Attention<16, 2, 2, 8>, stlm::SwiGlu<16, 32>>;
using Pool = stlm::BytePool<16, 8, 4, stlm::CorrectBytes, stlm::ByteBlocks<stlm::ByteBlock<8, 16, 16, 2>>>;
using Model = stlm::PatchModel<stlm::TokenBoundary, Pool, Core, stlm::ByteDecoder<16, 8, 4, emits_end, 1, 2, 16>>;

constexpr stlm::Index size = Model::vocabulary;
