// Pass: what a module is told of one pass beside its tensors.
#pragma once

#include <stlm/core/batch.hpp>
#include <stlm/core/random.hpp>

namespace stlm {

struct Pass {
  Index batch = 1, tokens = 1;  ///< B sequences of T tokens: N = B*T rows
  Index position = 0;           ///< of the first token, where there are no `places`; > 0 when decoding with a cache
  double dropout = 0;           ///< probability of dropping an element; 0 when not training
  MaskKey key = {};             ///< of the dropout masks
  double weight = 1;            ///< of this batch's mean loss in the step: auxiliary losses scale their gradients by it
  Index packed = -1;            ///< >= 0: sequences of at most T rows lie one after another, this many rows in all
  Offsets offsets = {};         ///< then sequence b has rows [offsets(b), offsets(b + 1))
  const Place* places = nullptr;  ///< of B sequences that decode at positions of their own
  bool last = false;            ///< only what follows the last token of each sequence is asked for
  Index bytes_read = 0, bytes_predicted = 0;  ///< of a model over patches: rows of its byte blocks

  constexpr Index rows() const { return packed >= 0 ? packed : batch * tokens; }
  constexpr Places all_places() const { return {places, position}; }
  /// Where sequence b stands: what `decode` is to go by.
  constexpr Place place(Index b) const { return all_places()(b); }
  /// Sequences of up to `most` rows, packed.
  constexpr Pass pack(Index sequences, Index most, Index rows, View<const Index, dynamic> first_rows) const {
    Pass pass = *this;
    pass.batch = sequences;
    pass.tokens = most;
    pass.packed = rows;
    pass.offsets = {first_rows, rows};
    return pass;
  }
  /// The same pass for the i-th part of a module: its random numbers are independent of the other parts'.
  constexpr Pass at(std::uint64_t part) const {
    Pass pass = *this;
    if (dropout > 0) pass.key = key.fold(part);
    return pass;
  }
};

}  // namespace stlm
