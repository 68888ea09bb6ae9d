#include <stlm/tokenizer/greedy_merges.hpp>

#include "merges_golden.hpp"

using Rule = stlm::GreedyMerges;

TEST_CASE("GreedyMerges: the merges of a plain recount", "[tokenizer][golden]") {
  check_merges<Rule>("greedy");
}

TEST_CASE("GreedyMerges: the most frequent first, then the smaller left id, then the smaller right", "[tokenizer]") {
  CHECK(learn<Rule>({"ba", "ba", "ab", "ac"}, 9) == Merges{{'b', 'a'}, {'a', 'b'}, {'a', 'c'}});
  CHECK(learn<Rule>({"ab ab ab cd"}, 2) == Merges{{'a', 'b'}, {' ', 256}});
}

TEST_CASE("GreedyMerges: runs count overlapping pairs and merge from the left", "[tokenizer]") {
  CHECK(learn<Rule>({"aaaaa"}, 9) == Merges{{'a', 'a'}, {256, 'a'}, {256, 257}});
}

TEST_CASE("GreedyMerges: no merge crosses a piece or a text; it ends when none is left", "[tokenizer]") {
  CHECK(learn<Rule>({"a1", "b", "c!"}, 9).empty());
  CHECK(learn<Rule>({}, 9).empty());
  CHECK(learn<Rule>({"xy", ""}, 9) == Merges{{'x', 'y'}});
}
