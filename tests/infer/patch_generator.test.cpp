#include <stlm/infer/patch_generator.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>
#include <stlm/io/utf8.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct ParallelSpacesConfig : SmallPatchConfig {
  using byte_head = Parallel<2, 2>;
};
using ParallelSpaces = ByteLevelModel<ParallelSpacesConfig>;

template <class M, class B>
struct Setup {
  using Model = M;
  Context<B> ctx{{.threads = 2, .seed = 3}};
  Parameters<M, B> params{ctx};
  Setup() { fill(params.flat(), {1, 1}, 0.5); }
};

/// A tokenizer in which each byte is a token.
struct Letters {
  std::vector<Token> encode(std::string_view bytes) const { return ByteTokenizer::encode(bytes); }
  std::string token_bytes(Token id) const { return std::string(1, static_cast<char>(id)); }
};

using Patches = std::vector<std::vector<Token>>;

/// An end of text, then the patches of `text`; the last one is open.
template <class M>
Patches patches_of(std::string_view text) {
  Patches patches{{257}, {}};
  Token before = 257;
  for (const char c : text) {
    const Token byte = static_cast<unsigned char>(c);
    patches.back().push_back(byte);
    if (std::ssize(patches.back()) == M::window || M::Boundary::ends(before, byte, std::ssize(patches.back())))
      patches.emplace_back();
    before = byte;
  }
  return patches;
}

/// Logits of the symbol after the open patch by a full forward pass, without any cache.
template <class M, class B>
std::vector<float> full_logits(Setup<M, B>& s, Patches patches) {
  const Index open = std::ssize(patches.back()), count = std::ssize(patches) - 1;
  patches.back().push_back(65);  // any symbol: its own logits must not depend on it
  std::vector<Token> slots(patches.size() * static_cast<std::size_t>(M::window), M::pad);
  for (std::size_t p = 0; p < patches.size(); ++p)
    std::copy(patches[p].begin(), patches[p].end(), slots.begin() + static_cast<Index>(p) * M::window);
  Activations<M, B> acts(s.ctx, {1, count});
  forward(s.ctx, s.params, Batch{{slots.data(), 1, count * M::window}, {slots.data() + M::window, 1, count * M::window}}, acts);
  const auto& head = acts.cache().head;
  Index row = (count - 1) * M::window + open;
  if constexpr (!M::Head::parallel) row = head.offsets(count - 1) + open;
  return {&head.logits(row, 0), &head.logits(row, 0) + M::vocabulary};
}

template <class M, class B>
std::vector<float> full_logits(Setup<M, B>& s, std::string_view text) {
  return full_logits(s, patches_of<M>(text));
}

const std::string text = "the quick  brown fox, jumps over antidisestablishmentarianism\n";

template <class M, class B>
double error_in_portions(std::size_t portion) {
  Setup<M, B> s;
  PatchGenerator<M, B> generator(s.ctx, 64);
  generator.reset(s.ctx, s.params);
  double worst = distance(generator.logits(), full_logits(s, ""));
  for (std::size_t read = 0; read < text.size(); read += portion) {
    generator.feed(s.ctx, s.params, std::string_view(text).substr(read, portion));
    worst = std::max(worst, distance(generator.logits(), full_logits(s, std::string_view(text).substr(0, read + portion))));
  }
  return worst;
}

/// The text that generation gives if every byte is drawn from a full forward pass.
template <class M, class B>
std::string generated_without_cache(Setup<M, B>& s, std::string all, const SampleOptions& options) {
  const std::size_t prompt = all.size();
  Sampler sampler(M::vocabulary, options);
  for (Index i = 0; i < options.max_bytes; ++i) {
    const auto logits = full_logits(s, all);
    const Token byte = sampler(std::span<const float>(logits), M::pad);
    if (byte >= 256) break;
    all.push_back(static_cast<char>(byte));
  }
  return all.substr(prompt);
}

template <class M, class B>
std::string generated(Setup<M, B>& s, std::string_view prompt, const SampleOptions& options, Index capacity = 64) {
  PatchGenerator<M, B> generator(s.ctx, capacity);
  std::string text_out;
  generator.generate(s.ctx, s.params, prompt, options, [&](char c) { text_out.push_back(c); });
  return text_out;
}

}  // namespace

TEST_CASE("PatchGenerator: reading in any portions gives the logits of the full forward pass, bit for bit on ReferenceBackend",
          "[infer]") {
  for (const std::size_t portion : {1U, 3U, 7U, 100U}) {
    CAPTURE(portion);
    CHECK(error_in_portions<SpacePatches, ReferenceBackend>(portion) == 0);
    CHECK(error_in_portions<SpacePatches, EigenBackend>(portion) < 1e-5);
  }
}

TEST_CASE("PatchGenerator: generation is what sampling from the full forward pass gives", "[infer]") {
  const SampleOptions options{.max_bytes = 40, .temperature = 0.9, .top_k = 40, .seed = 4};
  Setup<SpacePatches, ReferenceBackend> exact;
  Setup<SpacePatches, EigenBackend> fast;
  const std::string expected = generated_without_cache(exact, "the fox", options);
  CHECK(expected.size() > 10);
  CHECK(generated(exact, "the fox", options) == expected);
  CHECK(generated(fast, "the fox", options) == generated_without_cache(fast, "the fox", options));
}

TEST_CASE("PatchGenerator: a parallel head writes too, ending patches where their bytes do", "[infer]") {
  Setup<ParallelSpaces, ReferenceBackend> exact;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const SampleOptions some{.max_bytes = 40, .seed = seed};
    CHECK(generated(exact, "the fox", some) == generated_without_cache(exact, "the fox", some));
  }
  const SampleOptions options{.max_bytes = 30, .seed = 4};
  Setup<ParallelSpaces, EigenBackend> s;
  const std::string once = generated(s, "the fox ", options);
  CHECK(once.size() == 30);
  CHECK(once == generated(s, "the fox ", options));
}

TEMPLATE_TEST_CASE("PatchGenerator: when the memory is full the later half is read again", "[infer]", SpacePatches,
                   ParallelSpaces, StridePatches) {
  constexpr std::size_t capacity = 5;
  Setup<TestType, ReferenceBackend> s;
  PatchGenerator<TestType, ReferenceBackend> generator(s.ctx, capacity);
  generator.reset(s.ctx, s.params);
  Patches remembered{{257}};
  std::size_t closed = 1;
  for (std::size_t size = 1; size <= text.size(); ++size) {
    generator.feed(s.ctx, s.params, std::string_view(text).substr(size - 1, 1));
    Patches all = patches_of<TestType>(std::string_view(text).substr(0, size));
    for (; closed + 1 < all.size(); ++closed) {
      if (remembered.size() == capacity) remembered.erase(remembered.begin(), remembered.end() - capacity / 2);
      remembered.push_back(all[closed]);
    }
    Patches now = remembered;
    now.push_back(all.back());
    CAPTURE(size);
    CHECK(distance(generator.logits(), full_logits(s, now)) < 1e-5);
  }
}

TEST_CASE("PatchGenerator: the end of a patch is not drawn where it follows from the bytes", "[infer]") {
  const auto allowed = [](auto s, std::string_view read) {
    using M = typename decltype(s)::Model;
    PatchGenerator<M, EigenBackend> generator(s.ctx, 8);
    generator.reset(s.ctx, s.params);
    generator.feed(s.ctx, s.params, read);
    return generator.allowed(M::pad);
  };
  CHECK(!allowed(Setup<ParallelSpaces, EigenBackend>(), ""));
  CHECK(!allowed(Setup<ParallelSpaces, EigenBackend>(), "th"));
  CHECK(!allowed(Setup<SpacePatches, EigenBackend>(), "th"));
}

TEST_CASE("PatchGenerator: of a boundary that looks ahead the text is given at once", "[infer]") {
  Setup<TokenPatches, EigenBackend> s;
  PatchGenerator<TokenPatches, EigenBackend> generator(s.ctx, 8, TokenBoundary(std::make_shared<const Letters>()));
  generator.reset(s.ctx, s.params);
  CHECK(!generator.allowed(TokenPatches::pad));  // no byte was written yet
  generator.feed(s.ctx, s.params, "abc");
  CHECK(generator.allowed(TokenPatches::pad));
  CHECK_THROWS_WITH(generator.feed(s.ctx, s.params, "d"),
                    "stlm::PatchGenerator: patches that end by a rule that looks ahead cannot be gone on with; give the text at once.");
}

TEST_CASE("PatchGenerator: with the reference's bytes an end of text is written out", "[infer]") {
  Setup<QuirkyPatches, EigenBackend> s;
  PatchGenerator<QuirkyPatches, EigenBackend> generator(s.ctx, 8, TokenBoundary(std::make_shared<const Letters>()));
  generator.reset(s.ctx, s.params);
  const std::string end = std::string("<|endoftext|>").substr(0, QuirkyPatches::window);
  CHECK(distance(generator.logits(), full_logits(s, Patches{ByteTokenizer::encode(end), {}})) == 0);

  // A head that says slot by slot what its position is, and the bytes of an end of text for the positions.
  s.params.for_each([&](const Path& path, const auto& view, const ParameterSpec&) {
    const std::string name = path.str();
    std::fill(view.begin(), view.end(), name.find("norm") != std::string::npos ? 1.0F : 0.0F);
    const Index columns = view.size() / view.extent(0);
    if (!name.starts_with("head.") || name.find("attention") != std::string::npos) return;
    for (Index i = 0; i < QuirkyPatches::window; ++i) {
      const Index row = name == "head.weight" ? end[static_cast<std::size_t>(i)] : i;
      if (columns > 1) view.data()[row * columns + i] = name == "head.project.weight" ? 0.0F : 1.0F;
    }
  });
  for (const std::string before : {"", "x"}) {
    std::string written;
    generator.generate(s.ctx, s.params, before, {.max_bytes = 40, .temperature = 0}, [&](char c) { written += c; });
    CHECK(written == (before.empty() ? end : end.substr(1) + end));
  }
}

TEST_CASE("PatchGenerator: valid UTF-8 on request", "[infer]") {
  Setup<SpacePatches, EigenBackend> s;
  int invalid = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const std::string free = generated(s, "caf\xc3", {.max_bytes = 50, .seed = seed});
    invalid += utf8_prefix("caf\xc3" + free) + 3 < 4 + free.size();
    const std::string valid = "caf\xc3" + generated(s, "caf\xc3", {.max_bytes = 50, .utf8 = true, .seed = seed});
    CHECK(utf8_prefix(valid) == valid.size());
  }
  CHECK(invalid > 0);
}

TEST_CASE("PatchGenerator: texts longer than the memory, empty prompts and no bytes at all are fine", "[infer]") {
  Setup<SpacePatches, EigenBackend> s;
  const SampleOptions options{.max_bytes = 60, .seed = 2};
  CHECK(generated(s, text + text, options, 4).size() == 60);
  CHECK(generated(s, "", options, 4).size() == 60);
  CHECK(generated(s, "abc", {.max_bytes = 0}).empty());
  CHECK(sample(s.ctx, s.params, "abc", 8, options) == generated(s, "abc", options, 8));
  CHECK_THROWS_WITH((PatchGenerator<SpacePatches, EigenBackend>(s.ctx, 1)),
                    "stlm::PatchGenerator: expected a capacity of at least 2 patches, found 1.");
  CHECK_THROWS_AS((PatchGenerator<SpacePatches, EigenBackend>(s.ctx, Index{1} << 62)), ShapeError);
  std::string some;
  PatchGenerator<SpacePatches, EigenBackend>(s.ctx, 8).generate(s.ctx, s.params, "abc", options, [&](char c) {
    some += c;
    return some.size() < 3;
  });
  CHECK(some == generated(s, "abc", options, 8).substr(0, 3));
}

TEST_CASE("PatchGenerator: a refused symbol, or use before reset, changes nothing", "[infer]") {
  Setup<SpacePatches, EigenBackend> s;
  PatchGenerator<SpacePatches, EigenBackend> one(s.ctx, 8), other(s.ctx, 8);
  CHECK_THROWS_WITH(one.feed(s.ctx, s.params, "th"), "stlm::PatchGenerator: no patch was read; call reset first.");
  for (auto* generator : {&one, &other}) generator->reset(s.ctx, s.params);
  CHECK_THROWS_WITH(one.push(s.ctx, s.params, 300),
                    "stlm::PatchGenerator: token 0 is 300, expected an id in [0, 258); check the tokenizer against the model's "
                    "vocabulary.");
  CHECK_THROWS_WITH(one.push(s.ctx, s.params, SpacePatches::pad),
                    "stlm::PatchGenerator: found the end of a patch where it follows from the bytes of the patch, or no byte is "
                    "in it yet; push a byte.");
  for (auto* generator : {&one, &other}) generator->feed(s.ctx, s.params, "the ");
  CHECK(std::ranges::equal(one.logits(), other.logits()));
}

TEST_CASE("PatchGenerator: no more patches than the pool has positions for", "[infer]") {
  Setup<StridePatches, EigenBackend> s;
  CHECK(generated(s, text + text, {.max_bytes = 20}, 130).size() == 20);
  CHECK_THROWS_WITH((PatchGenerator<StridePatches, EigenBackend>(s.ctx, 131)),
                    "stlm::PatchGenerator: expected at most the 130 tokens of the model's learned positions, found 131; ask for "
                    "fewer, or give the model more.");
}
