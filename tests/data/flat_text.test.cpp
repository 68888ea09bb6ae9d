#include <stlm/data/flat_text.hpp>

#include <stlm/data/byte_loader.hpp>
#include <stlm/data/patch_text.hpp>
#include <stlm/data/token_text.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

/// The tokens 0 1 2 3 ... without memory for them, as in a user's text; each takes two bytes.
struct Numbers {
  Index count;

  Token operator[](Index i) const { return static_cast<Token>(i); }
  Index size() const { return count; }
  Index num_bytes() const { return 2 * count; }
  void copy(Index i, Index n, Token* to) const {
    for (; n > 0; --n) *to++ = static_cast<Token>(i++);
  }
};
struct Unsized : Numbers {
  void num_bytes() const {}
};
struct AnyModel {};

}  // namespace

static_assert(FlatText<ByteText> && FlatText<TokenText> && FlatText<Numbers>);
static_assert(!FlatText<PatchText> && !FlatText<Unsized> && !FlatText<std::vector<Token>>);

TEST_CASE("FlatText: loaders read a text of one's own", "[data][flat_text]") {
  ByteLoader<AnyModel, Numbers> loader(Numbers{500}, {2, 10}, 3);
  for (int i = 0; i < 30; ++i) {
    const Batch batch = loader.next();
    for (Index b = 0; b < 2; ++b)
      for (Index t = 0; t < 10; ++t) REQUIRE(batch.targets(b, t) == batch.tokens(b, 0) + t + 1);
  }
}
