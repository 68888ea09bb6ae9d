// BpeMerger: merges the ids of one piece until no pair of neighbours has a merge. It always applies the earliest learnt
// merge that is present, at all its places from left to right.
//
// Merges are numbered by the ids they make, and a merge makes its id from smaller ids. So a pair with a newly made id
// belongs to a later merge, and the merges of a piece can be done in order, once each:
//   short pieces  search all pairs for the earliest merge;
//   long pieces   keep a list of places for each merge, a queue of the merges with places, and links to neighbours.
// One merge at one place takes a time that does not depend on the length, and shortens the piece, so the whole is linear.
// A list of places stays in order from left to right: all pairs of a merge arise while the larger of its two ids is made,
// and that id is made from left to right.
#pragma once

#include <functional>
#include <limits>
#include <queue>

#include <stlm/tokenizer/bpe_vocabulary.hpp>

namespace stlm::detail {

/// Holds scratch memory: use one for each thread.
class BpeMerger {
 public:
  explicit BpeMerger(const MergeTable& merges) : merges_(&merges) {}

  /// Merges ids[first], ids[first + 1], ... up to the end.
  void operator()(std::vector<Token>& ids, std::size_t first) {
    const std::size_t size = ids.size() - first;
    if (size < 2) return;
    ids.resize(first +
               (size <= most_short ? merge_short(ids.data() + first, size) : merge_long(ids.data() + first, size)));
  }

 private:
  static constexpr std::size_t most_short = 48;
  static constexpr Token no_merge = std::numeric_limits<Token>::max();

  Token merge_of(Token left, Token right) const {
    const Token* const id = merges_->find({left, right});
    return id ? *id : no_merge;
  }

  std::size_t merge_short(Token* ids, std::size_t size) const {
    Token merge[most_short];  // of ids[i] and ids[i + 1]; the last id has none
    merge[size - 1] = no_merge;
    for (std::size_t i = 0; i + 1 < size; ++i) merge[i] = merge_of(ids[i], ids[i + 1]);
    for (;;) {
      const auto at = static_cast<std::size_t>(std::min_element(merge, merge + size) - merge);
      if (merge[at] == no_merge) return size;
      ids[at] = merge[at];
      --size;
      std::copy(ids + at + 2, ids + size + 1, ids + at + 1);
      std::copy(merge + at + 1, merge + size + 1, merge + at);
      if (at + 1 < size) merge[at] = merge_of(ids[at], ids[at + 1]);
      if (at > 0) merge[at - 1] = merge_of(ids[at - 1], ids[at]);
    }
  }

  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};
  struct Node {
    Token id, merge;               // merge: of this id and the next
    std::uint32_t previous, next;  // neighbours
    std::uint32_t earlier, later;  // places of the same merge
  };
  struct Places {
    std::uint32_t first = nowhere, last = nowhere;
  };

  std::size_t merge_long(Token* ids, std::size_t size) {
    expect<Error>(size < nowhere, "stlm::BpeTokenizer: expected pieces of fewer than ", nowhere,
                  " bytes, found one of ", size, "; encode it in parts.");
    places_.resize(256 + merges_->size());
    nodes_.resize(size);
    for (std::uint32_t at = 0; at < size; ++at) nodes_[at] = {ids[at], no_merge, at - 1, at + 1, nowhere, nowhere};
    nodes_[size - 1].next = nowhere;
    for (std::uint32_t at = 0; at + 1 < size; ++at) add_place(at);
    for (; !waiting_.empty(); waiting_.pop()) {
      const Places& places = places_[static_cast<std::size_t>(waiting_.top())];
      while (places.first != nowhere) merge_at(places.first);
    }
    std::size_t count = 0;
    for (std::uint32_t at = 0; at != nowhere; at = nodes_[at].next) ids[count++] = nodes_[at].id;
    return count;
  }

  void merge_at(std::uint32_t at) {
    Node& node = nodes_[at];
    const std::uint32_t gone = node.next;
    const Token id = node.merge;
    remove_place(at);
    remove_place(gone);
    if (node.previous != nowhere) remove_place(node.previous);
    node.id = id;
    node.next = nodes_[gone].next;
    if (node.next != nowhere) nodes_[node.next].previous = at;
    if (node.previous != nowhere) add_place(node.previous);
    add_place(at);
  }

  void add_place(std::uint32_t at) {
    Node& node = nodes_[at];
    node.merge = node.next == nowhere ? no_merge : merge_of(node.id, nodes_[node.next].id);
    if (node.merge == no_merge) return;
    Places& places = places_[static_cast<std::size_t>(node.merge)];
    if (places.first == nowhere) waiting_.push(node.merge);
    node.earlier = places.last;
    node.later = nowhere;
    (places.last == nowhere ? places.first : nodes_[places.last].later) = at;
    places.last = at;
  }
  void remove_place(std::uint32_t at) {
    const Node& node = nodes_[at];
    if (node.merge == no_merge) return;
    Places& places = places_[static_cast<std::size_t>(node.merge)];
    (node.earlier == nowhere ? places.first : nodes_[node.earlier].later) = node.later;
    (node.later == nowhere ? places.last : nodes_[node.later].earlier) = node.earlier;
  }

  const MergeTable* merges_;
  std::vector<Node> nodes_;
  std::vector<Places> places_;                                              // by the id a merge makes; empty between pieces
  std::priority_queue<Token, std::vector<Token>, std::greater<>> waiting_;  // merges that have, or had, places
};

}  // namespace stlm::detail
