// ReferenceMerges: the rule of the paper's own implementation (arXiv 2405.14159), a `Rule` of train_bpe. It merges in
// batches and does not use gpt2_piece: merges cross spaces, words and texts.
//
// It joins the texts and repeats: count all pairs of neighbours, overlapping ones too, and take the min(64, merges left)
// most frequent pairs; among equally frequent pairs, those that occur first in the text. In that order accept (a, b)
// unless a pair considered before in this batch, accepted or not, ends with a or begins with b. Replace the accepted pairs
// in one pass from left to right.
#pragma once

#include <algorithm>
#include <span>

#include <stlm/tokenizer/bpe_vocabulary.hpp>
#include <stlm/tokenizer/detail/merge_pass.hpp>

namespace stlm {

class ReferenceMerges {
 public:
  static constexpr bool pre_split = false;
  static constexpr std::size_t batch = 64;

  explicit ReferenceMerges(std::span<const std::string_view> texts) {
    for (const std::string_view text : texts) detail::append_bytes(ids_, text);
  }

  /// The first `count` merges, or fewer if a single id is left.
  std::vector<TokenPair> learn(std::size_t count) && {
    std::vector<TokenPair> merges;
    while (merges.size() < count && ids_.size() > 1) {
      detail::MergeTable accepted;
      std::vector<bool> begins(256 + merges.size()), ends(256 + merges.size());  // a pair considered before
      for (const TokenPair pair : most_frequent(std::min(batch, count - merges.size()))) {
        const auto left = static_cast<std::size_t>(pair.left), right = static_cast<std::size_t>(pair.right);
        if (!ends[left] && !begins[right]) {
          accepted[pair] = static_cast<Token>(256 + merges.size());
          merges.push_back(pair);
        }
        begins[left] = ends[right] = true;
      }
      detail::merge_pass(ids_, [&](TokenPair pair) { return accepted.find(pair); });
    }
    return merges;
  }

 private:
  std::vector<TokenPair> most_frequent(std::size_t most) const {
    struct Tally {
      Index count = 0;
      std::size_t first = 0;  // where it occurs first
      TokenPair pair;
    };
    detail::FlatMap<TokenPair, Tally> tallies;
    for (std::size_t i = 0; i + 1 < ids_.size(); ++i) {
      const TokenPair pair{ids_[i], ids_[i + 1]};
      Tally& tally = tallies[pair];
      if (tally.count++ == 0) tally = {1, i, pair};
    }
    std::vector<Tally> all;
    tallies.for_each([&](TokenPair, const Tally& tally) { all.push_back(tally); });
    most = std::min(most, all.size());
    std::ranges::partial_sort(all, all.begin() + static_cast<Index>(most), [](const Tally& a, const Tally& b) {
      return a.count != b.count ? a.count > b.count : a.first < b.first;
    });
    std::vector<TokenPair> pairs(most);
    std::ranges::transform(all.begin(), all.begin() + static_cast<Index>(most), pairs.begin(), &Tally::pair);
    return pairs;
  }

  std::vector<Token> ids_;
};

}  // namespace stlm
