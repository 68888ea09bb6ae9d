// No byte reads its own future: changing a byte, or the length of a patch, changes no logit before it, bit for bit.

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Patches = std::vector<std::vector<Token>>;
constexpr Index count = 9;  // patches read

/// An end of text, then patches of the lengths 1 to W in turn.
Patches some_text(Index window) {
  Patches text{{257}};
  for (Index s = 1; s <= count; ++s) {
    const RandomKey key = RandomKey{7, 7}.fold(static_cast<std::uint64_t>(s));
    text.emplace_back();
    for (Index i = 0; i <= s % window; ++i)
      text.back().push_back(static_cast<Token>(random_below(key, static_cast<std::uint64_t>(i), 256)));
  }
  return text;
}

/// Logits of every symbol of patches 1 to `count`: [patch - 1][symbol][id]. If the model predicts ends, a patch that is not
/// full has one more symbol, its end.
template <class Model, class B>
std::vector<std::vector<std::vector<float>>> all_logits(const Patches& text) {
  constexpr Index window = Model::window;
  std::vector<Token> slots(static_cast<std::size_t>((count + 1) * window), Model::pad);
  for (std::size_t s = 0; s < text.size(); ++s) std::copy(text[s].begin(), text[s].end(), slots.begin() + static_cast<Index>(s) * window);
  Context<B> ctx({.threads = 2, .seed = 1});
  Parameters<Model, B> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  Activations<Model, B> acts(ctx, {1, count});
  forward(ctx, params, Batch{{slots.data(), 1, count * window}, {slots.data() + window, 1, count * window}}, acts);
  const auto& head = acts.cache().head;
  std::vector<std::vector<std::vector<float>>> all;
  for (Index s = 1; s <= count; ++s) {
    const auto length = static_cast<Index>(text[static_cast<std::size_t>(s)].size());
    Index first = (s - 1) * window;
    if constexpr (!Model::Head::parallel) first = head.offsets(s - 1);
    all.emplace_back();
    for (Index i = 0; i < length + (Model::Head::emits_end && length < window); ++i)
      all.back().emplace_back(&head.logits(first + i, 0), &head.logits(first + i, 0) + Model::vocabulary);
  }
  return all;
}

struct Changed {
  bool before = false, after = false;
};

/// Which logits differ between `text` and `other`, whose symbols are equal before symbol i of patch s.
template <class Model, class B>
Changed compare(const Patches& text, const Patches& other, std::size_t s, std::size_t i) {
  const auto a = all_logits<Model, B>(text), b = all_logits<Model, B>(other);
  // A parallel head predicts all symbols of a patch before it reads any of them.
  const std::size_t own = Model::Head::parallel ? 1000 : i;
  Changed changed;
  for (std::size_t patch = 0; patch < a.size(); ++patch)
    for (std::size_t n = 0; n < std::min(a[patch].size(), b[patch].size()); ++n) {
      const bool before = patch + 1 < s || (patch + 1 == s && n <= own);
      (before ? changed.before : changed.after) |= a[patch][n] != b[patch][n];
    }
  return changed;
}

template <class Model, class B>
bool leaks() {
  const Patches text = some_text(Model::window);
  bool leak = false;
  for (std::size_t s = 1; s < text.size(); ++s)
    for (std::size_t i = 0; i < text[s].size(); ++i) {
      Patches other = text, longer = text, shorter = text;
      other[s][i] = (text[s][i] + 1) % 256;
      const Changed byte = compare<Model, B>(text, other, s, i);
      leak |= byte.before;
      const bool last = s + 1 == text.size() && (Model::Head::parallel || i + 1 == text[s].size());
      if (!last) CHECK(byte.after);
      if (i + 1 == text[s].size() && i + 1 < static_cast<std::size_t>(Model::window)) {
        longer[s].push_back(65);
        leak |= compare<Model, B>(text, longer, s, i + 1).before;
      }
      if (i > 0) {
        shorter[s].resize(i);
        leak |= compare<Model, B>(text, shorter, s, i).before;
      }
    }
  return leak;
}

/// A core that claims to look back only, since PatchModel refuses one that does not.
template <class Core>
struct Unchecked : Core {
  static constexpr bool causal = true;
};
template <class Config>
using Assembled = PatchModel<typename Config::boundary, typename stlm::detail::PoolOf<Config, typename Config::pool>::type,
                             Unchecked<typename stlm::detail::ByteModelParts<Config>::Core>,
                             typename stlm::detail::ByteHeadOf<Config, typename Config::byte_head>::type>;

/// A core in which patches see later patches.
struct BothWaysConfig : SmallPatchConfig {
  using mask = Bidirectional;
};
struct BothWaysParallelConfig : ParallelConfig {
  using mask = Bidirectional;
};

struct WhitespaceConfig : SmallPatchConfig {
  using boundary = Whitespace;
};
}  // namespace

TEMPLATE_TEST_CASE("causality of patches: no logit depends on what comes after it", "[models][causality]", SpacePatches,
                   TokenPatches, ParallelPatches, QuirkyPatches, ReconstructingPatches, ByteLevelModel<WhitespaceConfig>,
                   StridePatches) {
  CHECK_FALSE(leaks<TestType, ReferenceBackend>());
  CHECK_FALSE(leaks<TestType, EigenBackend>());
}

TEMPLATE_TEST_CASE("causality of patches: the check finds a core that sees its future", "[models][causality]",
                   Assembled<BothWaysConfig>, Assembled<BothWaysParallelConfig>) {
  CHECK(leaks<TestType, ReferenceBackend>());
  CHECK(leaks<TestType, EigenBackend>());
}
