// The eleven configurations of the weight-sharing study: about 50M parameters each, 76M with an untied head. Where the inner
// layers share their feed-forward layer, the parameters saved go into width (Wide) or depth (Deep). In names, K is that of
// SharedInterior and R64 means low-rank terms of rank 64.
#pragma once

#include <stlm/models/presets/baselines.hpp>

namespace stlm::presets {

/// Heads have an even size, so all heads together may be narrower than the model.
template <int Layers, int Dim, int FfnDim, class Sharing = Owned>
struct WeightSharingConfig : Gpt2VocabularyConfig {
  static constexpr int layers = Layers, dim = Dim, ffn_dim = FfnDim, head_dim = Dim / heads / 2 * 2;
  using ffn_sharing = Sharing;
};
template <int Layers, int Dim, int FfnDim, class Sharing = Owned>
using WeightSharing = TokenModel<WeightSharingConfig<Layers, Dim, FfnDim, Sharing>>;

struct SharingUntiedConfig : WeightSharingConfig<8, 528, 1361> {
  using head = Untied;
};

using SharingBaseline = WeightSharing<8, 528, 1361>;                                      // 49,197,984 parameters
using SharingUntied = TokenModel<SharingUntiedConfig>;                                    // 75,733,680 parameters
using SharingAllWide = WeightSharing<8, 672, 1733, SharedInterior<0>>;                    // 49,803,264 parameters
using SharingK1Wide = WeightSharing<8, 608, 1568, SharedInterior<1>>;                     // 49,400,000 parameters
using SharingK2Wide = WeightSharing<8, 560, 1444, SharedInterior<2>>;                     // 48,801,760 parameters
using SharingAllDeep = WeightSharing<14, 608, 1568, SharedInterior<0>>;                   // 49,232,192 parameters
using SharingK2Deep = WeightSharing<12, 544, 1440, SharedInterior<2>>;                    // 50,331,968 parameters
using SharingR64Wide = WeightSharing<8, 640, 1650, SharedInterior<0, BiasedLora<64>>>;    // 49,810,044 parameters
using SharingR64K1Wide = WeightSharing<8, 592, 1527, SharedInterior<1, BiasedLora<64>>>;  // 49,483,286 parameters
using SharingR64Deep = WeightSharing<12, 592, 1527, SharedInterior<0, BiasedLora<64>>>;   // 49,938,154 parameters
using SharingR64K2Deep = WeightSharing<12, 512, 1440, SharedInterior<2, BiasedLora<64>>>;  // 49,528,320 parameters

}  // namespace stlm::presets
