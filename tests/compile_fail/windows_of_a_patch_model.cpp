// expect: stlm::PatchModel: the head predicts patches of another length than the pool reads
#include <stlm/models/byte_level_model.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index window = 4;
#else
constexpr stlm::Index window = 5;
#endif
using Core = stlm::PreNormBlock<stlm::RmsNorm<16>, stlm::Attention<16, 2, 2, 8>, stlm::SwiGlu<16, 32>>;
using Pool = stlm::BytePool<16, 8, 4, stlm::CorrectBytes, stlm::ByteBlocks<stlm::ByteBlock<8, 16, 16, 2>>>;
using Model = stlm::PatchModel<stlm::SpaceLike, Pool, Core, stlm::ByteDecoder<16, 8, window, false, 1, 2, 16>>;

constexpr stlm::Index size = Model::vocabulary;
