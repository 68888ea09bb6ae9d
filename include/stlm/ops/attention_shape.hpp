// AttentionShape: which keys each query of attention reads, and with what penalty; ops/attention.hpp has the formulas.
#pragma once

#include <algorithm>
#include <cmath>

#include <stlm/core/batch.hpp>
#include <stlm/core/random.hpp>
#include <stlm/ops/detail/offsets_check.hpp>

namespace stlm::ops {

/// Query i is at position keys - queries + i. It reads the keys up to that position if causal, otherwise all keys. Packed
/// sequences have as many keys as queries; `queries` and `keys` are then the largest numbers that one sequence has.
struct AttentionShape {
  Index batch, queries, keys;
  bool causal = true;
  double dropout = 0;    ///< of the probabilities; key j of lse row r uses random number r * keys + j of `key`
  MaskKey key = {};
  Index window = 0;      ///< > 0: a query reads only keys at most this far from it
  bool alibi = false;    ///< subtract alibi_slope(h, H) |i - j| from the scores
  Offsets offsets = {};  ///< of packed sequences
  /// If given, sequences decode: b reads the keys of its place up to its last query; `keys` is the most that one reads.
  const Place* places = nullptr;

  /// The index of the sequence of keys and values that sequence b reads.
  Index key_sequence(Index b) const { return places ? places[b].sequence : b; }
  Index rows() const { return offsets ? offsets.rows : batch * queries; }
  // The functions below read the offsets: for host backends only.
  void expect_packed() const {
    expect_lengths("attention", offsets, std::min(queries, keys));
    for (Index b = 0; places && b < batch; ++b)
      expect(places[b].position >= 0 && num_keys(b) <= keys, "stlm::ops::attention: sequence ", b, " has ", num_keys(b),
             " keys, the shape allows ", keys, "; give the most that one has.");
  }
  Index num_queries(Index b) const { return offsets ? offsets(b + 1) - offsets(b) : queries; }
  Index num_keys(Index b) const {
    return offsets ? offsets(b + 1) - offsets(b) : places ? places[b].position + queries : keys;
  }
  /// The row of `lse` that belongs to query i of head h in sequence b.
  Index row(Index heads, Index b, Index h, Index i) const {
    return (offsets ? offsets(b) : b * queries) * heads + h * num_queries(b) + i;
  }
  /// The position of query i of sequence b, and the keys [first, last) that it reads.
  Index position(Index b, Index i) const { return num_keys(b) - num_queries(b) + i; }
  Index first_key(Index b, Index i) const { return window > 0 ? std::max<Index>(0, position(b, i) - window) : 0; }
  Index last_key(Index b, Index i) const {
    const Index last = causal ? position(b, i) + 1 : num_keys(b);
    return window > 0 ? std::min(last, position(b, i) + window + 1) : last;
  }
};

/// ALiBi's slope of head h in 0 .. heads - 1: 2^(-8 (h + 1) / heads) if heads is a power of two. Otherwise the first heads have
/// the slopes for the next lower power of two, and the rest every second slope for twice that power.
inline double alibi_slope(Index h, Index heads) {
  Index power = 1;
  while (2 * power <= heads) power *= 2;
  const double step = h < power ? static_cast<double>(h + 1) : static_cast<double>(2 * (h - power)) + 1;
  return std::exp2(-8 * step / static_cast<double>(h < power ? power : 2 * power));
}

}  // namespace stlm::ops
