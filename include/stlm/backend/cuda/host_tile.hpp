// A tile of a tensor core's product (fragments.hpp), computed by the CPU from the fragments of a warp's lanes.
#pragma once

#include <stlm/backend/cuda/fragments.hpp>

namespace stlm::gpu {

/// c += a b of the warp whose lanes begin at thread `first`: products are exact in float, and summed in order of k.
template <class C, class A, class B>
void multiply_tile(int first, C& c, A& a, B& b) {
  float left[16][16], right[16][8];
  for (int lane = 0; lane < warp; ++lane) {
    for (int p = 0; p < FragmentA::pairs; ++p)
      for (int e = 0; e < 2; ++e) {
        const Coordinates at = FragmentA::at(lane, p);
        left[at.row][at.col + e] = a[first + lane].pair[p].value[e];
      }
    for (int p = 0; p < FragmentB::pairs; ++p)
      for (int e = 0; e < 2; ++e) {
        const Coordinates at = FragmentB::at(lane, p);
        right[at.row + e][at.col] = b[first + lane].pair[p].value[e];
      }
  }
  for (int lane = 0; lane < warp; ++lane)
    for (int i = 0; i < FragmentC::size; ++i) {
      const Coordinates at = FragmentC::at(lane, i);
      for (int k = 0; k < 16; ++k) c[first + lane].value[i] += left[at.row][k] * right[k][at.col];
    }
}

}  // namespace stlm::gpu
