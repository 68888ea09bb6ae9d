// CorrectBytes, ReferenceQuirks: what byte-level modules do where the reference implementation of arXiv 2405.14159 has faults.
//
//                        CorrectBytes (the default)                 ReferenceQuirks
//   empty slots          masked: no attention, no mean, no cost     attended to and averaged like bytes
//   byte blocks          a residual around the feed-forward layer   no residual
//   head, last block     a norm after it                            no norm
//   positions, head      z + P                                      2 z + P
//   loss                 bytes and the end of each patch            all slots, except those with id 257: every pad is
//                                                                   trained, instead of one end
//   end of text          one symbol, id 257                         the bytes of "<|endoftext|>", cut to the window
//   longer patches       go on in the next patch                    cut: the rest of the text is lost
//
// The last two rows depend on the data (data/reference_patches.hpp); `ends_by_text` tells a generator how they write an end of
// text. The other constants below are the other rows.
#pragma once

#include <stlm/core/config.hpp>

namespace stlm {

struct CorrectBytes {
  static constexpr bool masks_pads = true, ffn_residual = true, final_norm = true, positions_twice = false;
  static constexpr bool ends_by_text = false;
};

struct ReferenceQuirks {
  static constexpr bool masks_pads = false, ffn_residual = false, final_norm = false, positions_twice = true;
  static constexpr bool ends_by_text = true;
};

}  // namespace stlm
