// GreedyMerges: the usual rule of byte-pair encoding (Sennrich et al. 2016), a `Rule` of train_bpe.
//
// Within the pieces of gpt2_piece, it merges the most frequent pair of neighbours everywhere, one merge at a time, until no
// pair is left. Of equally frequent pairs, the one with the smaller left id comes first, then the one with the smaller
// right id. So merges are a function of the texts alone.
//
// Equal pieces are one word with a count. A merge visits only words that have, or had, its pair. The most frequent pair is
// the top of a queue whose counts may be out of date: too high but never too low, because a merge adds only pairs with its
// new id.
#pragma once

#include <queue>
#include <span>
#include <unordered_map>

#include <stlm/tokenizer/detail/merge_pass.hpp>
#include <stlm/tokenizer/gpt2_split.hpp>

namespace stlm {

class GreedyMerges {
 public:
  static constexpr bool pre_split = true;

  explicit GreedyMerges(std::span<const std::string_view> texts) {
    std::unordered_map<std::string_view, Index> pieces;
    for (std::string_view text : texts)
      while (!text.empty()) {
        const std::size_t size = gpt2_piece(text);
        ++pieces[text.substr(0, size)];
        text.remove_prefix(size);
      }
    for (const auto& [piece, count] : pieces) {
      words_.push_back({count, {}});
      detail::append_bytes(words_.back().ids, piece);
      add_pairs(words_.size() - 1, [](TokenPair) { return true; });
    }
    queue_new_pairs();
  }

  /// The first `count` merges, or fewer if no piece has two ids left.
  std::vector<TokenPair> learn(std::size_t count) && {
    std::vector<TokenPair> merges;
    while (merges.size() < count && !queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      const Index now = pairs_[best.pair].count;  // may have fallen since, but not risen
      if (now == best.count) {
        merge(best.pair, static_cast<Token>(256 + merges.size()));
        merges.push_back(best.pair);
      } else if (now > 0) {
        queue_.push({now, best.pair});
      }
    }
    return merges;
  }

 private:
  struct Word {
    Index count;
    std::vector<Token> ids;
  };
  struct Pair {
    Index count = 0;
    std::vector<std::size_t> words;  // words that have the pair, or had it
  };
  struct Candidate {
    Index count;
    TokenPair pair;
    friend bool operator<(const Candidate& a, const Candidate& b) {
      return a.count != b.count ? a.count < b.count : a.pair > b.pair;
    }
  };

  void merge(TokenPair merged, Token id) {
    for (const std::size_t w : std::exchange(pairs_[merged].words, {})) {
      auto& [count, ids] = words_[w];
      for (std::size_t i = 0; i + 1 < ids.size(); ++i) pairs_[{ids[i], ids[i + 1]}].count -= count;
      detail::merge_pass(ids, [&](TokenPair pair) { return pair == merged ? &id : nullptr; });
      add_pairs(w, [&](TokenPair pair) { return pair.left == id || pair.right == id; });
    }
    queue_new_pairs();
  }

  /// Counts the pairs of word `w`, and adds the word to the lists of the pairs that are new in it.
  template <class IsNew>
  void add_pairs(std::size_t w, IsNew&& is_new) {
    const auto& [count, ids] = words_[w];
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const TokenPair pair{ids[i], ids[i + 1]};
      auto& [pair_count, words] = pairs_[pair];
      pair_count += count;
      if (!is_new(pair)) continue;
      if (words.empty()) new_pairs_.push_back(pair);
      if (words.empty() || words.back() != w) words.push_back(w);
    }
  }
  void queue_new_pairs() {
    for (const TokenPair pair : std::exchange(new_pairs_, {})) queue_.push({pairs_[pair].count, pair});
  }

  std::vector<Word> words_;
  detail::FlatMap<TokenPair, Pair> pairs_;
  std::vector<TokenPair> new_pairs_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace stlm
