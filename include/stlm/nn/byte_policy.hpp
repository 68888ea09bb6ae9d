// What the byte level does where the reference implementation of arXiv 2405.14159 is at fault: a policy of its modules.
//
//                        CorrectBytes (the default)                 ReferenceQuirks
//   empty slots          masked: no attention, no mean, no cost     attended to and averaged like bytes
//   byte blocks          a residual around the feed-forward layer   none, nor a norm after the last block of the head
//   positions, head      z + P                                      2 z + P
//   loss                 bytes and the end of each patch            all slots, but not the id 257: pads are trained,
//                                                                   and the text of a patch is all there is of its end
//   end of text          one symbol, id 257                         the bytes of "<|endoftext|>", cut to the window
//   longer patches       go on in the next patch                    cut: the text is lost
//
// The last two rows are the data's (data/patch_text.hpp); the others are the constants below.
#pragma once

#include <stlm/core/config.hpp>

namespace stlm {

struct CorrectBytes {
  static constexpr bool masks_pads = true, ffn_residual = true, final_norm = true, positions_twice = false;
};

struct ReferenceQuirks {
  static constexpr bool masks_pads = false, ffn_residual = false, final_norm = false, positions_twice = true;
};

}  // namespace stlm
