// Pass: what a module is told about one pass, besides its tensors.
#pragma once

#include <stlm/core/batch.hpp>
#include <stlm/core/random.hpp>

namespace stlm {

struct Pass {
  Index batch = 1, tokens = 1;  ///< B sequences of T tokens: N = B*T rows
  Index position = 0;           ///< of the first token, if there are no `places`; > 0 when decoding with a cache
  double dropout = 0;           ///< probability of dropping an element; 0 when not training
  MaskKey key = {};             ///< of the dropout masks
  double weight = 1;            ///< of this batch's mean loss in the step; auxiliary losses scale their gradients by it
  Index packed = -1;            ///< >= 0: sequences of at most T rows lie one after another, with this many rows in total
  Offsets offsets = {};         ///< if packed, sequence b has rows [offsets(b), offsets(b + 1))
  const Place* places = nullptr;  ///< if given, of B sequences that decode at different positions
  bool last = false;            ///< only the prediction after the last token of each sequence is needed
  Index bytes_read = 0, bytes_predicted = 0;  ///< for a model over patches: rows of the byte blocks that read, that predict

  constexpr Index rows() const { return packed >= 0 ? packed : batch * tokens; }
  constexpr Places all_places() const { return {places, position}; }
  /// The place of sequence b, which `decode` uses.
  constexpr Place place(Index b) const { return all_places()(b); }
  /// This pass over packed sequences of up to `most` rows.
  constexpr Pass pack(Index sequences, Index most, Index rows, View<const Index, dynamic> first_rows) const {
    Pass pass = *this;
    pass.batch = sequences;
    pass.tokens = most;
    pass.packed = rows;
    pass.offsets = {first_rows, rows};
    return pass;
  }
  /// This pass for one part of a module, with random numbers independent of those of the other parts.
  constexpr Pass at(std::uint64_t part) const {
    Pass pass = *this;
    if (dropout > 0) pass.key = key.fold(part);
    return pass;
  }
};

}  // namespace stlm
