// expect: stlm::PatchModel: a byte would read its own future
#include <stlm/models/byte_level_model.hpp>

using Core = stlm::PreNormBlock<stlm::RmsNorm<16>, stlm::Attention<16, 2, 2, 8>, stlm::SwiGlu<16, 32>>;
using Blocks = stlm::ByteBlocks<stlm::ByteBlock<8, 16, 16, 2>>;

#ifdef STLM_FIXED
using Pool = stlm::BytePool<16, 8, 4, stlm::CorrectBytes, Blocks>;
#else
struct Pool : stlm::BytePool<16, 8, 4, stlm::CorrectBytes, Blocks> {
  static constexpr stlm::Index reads_ahead = 1;  // a user's pool whose vectors depend on the next patch
};
#endif
using Model = stlm::PatchModel<stlm::SpaceLike, Pool, Core, stlm::ByteDecoder<16, 8, 4, false, 1, 2, 16>>;

constexpr stlm::Index size = Model::vocabulary;
