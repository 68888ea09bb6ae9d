// BpeVocabulary: the merges, byte ids and specials of a BpeTokenizer. BpeTable: made from a vocabulary that it checks, the
// bytes of every id and the id of every merge.
#pragma once

#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include <stlm/core/error.hpp>
#include <stlm/tokenizer/detail/flat_map.hpp>

namespace stlm {

struct BpeVocabulary {
  std::vector<TokenPair> merges = {};  ///< merge i makes the id 256 + i from two smaller ids
  bool pre_split = true;               ///< merges stay within the pieces of gpt2_piece
  std::array<Token, 256> byte_ids = [] {
    std::array<Token, 256> ids;
    std::iota(ids.begin(), ids.end(), 0);
    return ids;
  }();
  std::vector<std::string> specials = {"<|pad|>", "<|endoftext|>"};
};

namespace detail {

/// For each pair with a merge, the id that the merge makes.
using MergeTable = FlatMap<TokenPair, Token>;

/// Throws Error if the vocabulary is not valid.
class BpeTable {
 public:
  explicit BpeTable(const BpeVocabulary& vocabulary) {
    expect<Error>(!vocabulary.specials.empty(), who, ": expected a special that ends a text, found none; name one.");
    add_bytes(vocabulary.byte_ids);
    for (const TokenPair pair : vocabulary.merges) add_merge(pair);
  }

  /// The first id that is neither a byte nor a merge.
  Token size() const { return static_cast<Token>(ends_.size()); }
  std::string_view bytes(Token id) const {
    const std::size_t begin = id == 0 ? 0 : ends_[static_cast<std::size_t>(id - 1)];
    return std::string_view(bytes_).substr(begin, ends_[static_cast<std::size_t>(id)] - begin);
  }
  const MergeTable& merges() const { return merges_; }

 private:
  static constexpr const char* who = "stlm::BpeTokenizer";
  static constexpr std::size_t most_bytes = std::size_t{1} << 26;  // a few merges can make astronomically long tokens

  void add_bytes(const std::array<Token, 256>& ids) {
    bytes_.resize(256);
    std::array<bool, 256> seen{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const Token id = ids[byte];
      expect<Error>(id >= 0 && id < 256 && !std::exchange(seen[static_cast<std::size_t>(id)], true), who,
                    ": expected the ids 0 to 255 for the bytes, once each, found ", id, " for byte ", byte, ".");
      bytes_[static_cast<std::size_t>(id)] = static_cast<char>(byte);
      ends_.push_back(byte + 1);
    }
  }
  void add_merge(TokenPair pair) {
    const auto [left, right] = pair;
    const Token id = size();
    expect<Error>(std::min(left, right) >= 0 && std::max(left, right) < id, who, ": expected id ", id,
                  " to merge two smaller ids, found ", left, " and ", right, "; give merges in the order learnt.");
    if (const Token* const earlier = merges_.find(pair))
      fail<Error>(who, ": ids ", *earlier, " and ", id, " both merge ", left, " and ", right, "; remove one.");
    const std::string merged = std::string(bytes(left)).append(bytes(right));
    expect<Error>(bytes_.size() + merged.size() <= most_bytes, who, ": the tokens up to id ", id, " have more than ",
                  most_bytes, " bytes; give fewer merges.");
    merges_[pair] = id;
    bytes_ += merged;
    ends_.push_back(bytes_.size());
  }

  std::string bytes_;              // of all ids, one after another
  std::vector<std::size_t> ends_;  // where each id's bytes end
  MergeTable merges_;
};

}  // namespace detail

}  // namespace stlm
