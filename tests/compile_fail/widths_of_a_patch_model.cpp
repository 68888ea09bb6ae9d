// expect: stlm::PatchModel: wrong inner dimension: pool, core and head must have one width
#include <stlm/models/byte_level_model.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index width = 16;
#else
constexpr stlm::Index width = 24;
#endif
using Core = stlm::PreNormBlock<stlm::RmsNorm<16>, stlm::Attention<16, 2, 2, 8>, stlm::SwiGlu<16, 32>>;
using Pool = stlm::BytePool<16, 8, 4, stlm::CorrectBytes, stlm::ByteBlocks<stlm::ByteBlock<8, 16, 16, 2>>>;
using Model = stlm::PatchModel<stlm::SpaceLike, Pool, Core, stlm::ByteDecoder<width, 8, 4, false, 1, 2, 16>>;

constexpr stlm::Index size = Model::vocabulary;
