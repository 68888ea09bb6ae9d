#include <stlm/nn/latent_decoder.hpp>

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#include <cstring>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"
#include "support/planned.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Block = PreNormBlock<RmsNorm<6>, Attention<6, 3, 1, 2>, SwiGlu<6, 8>>;
template <Index Prefixes, class Tokens = TokensOnce, class Tying = Tied, Index MostLogits = 1000>
using Decoder = LatentDecoder<5, Prefixes, TokenEmbedding<7, 6, LearnedPosition<130>>, Repeat<2, Block>,
                              Head<RmsNorm<6>, 6, 7, Tying, false, MostLogits>, Tokens>;

/// A decoder with the table it borrows, as a function of z, the first B rows of x. y are the logits of fixed answers.
template <class D>
struct Subject : D {
  static constexpr Index in = D::latent, out = D::vocabulary;

  template <class T>
  struct Params {
    typename D::template Table<T> table;
    typename D::template Params<T> decoder;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    D::Embedding::visit(v, path / "table", p.table);
    D::visit(v, path / "decoder", p.decoder, p.table.table);
  }
  template <class B, class P, class T, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in> x, View<T, dynamic, out> y,
                      const C& cache) {
    const auto tokens = some_tokens(pass.rows(), 7, {5, 5});
    D::forward(ctx, p.decoder, p.table, pass, View<const T, dynamic, in>(x.data(), pass.batch),
               {tokens.data(), pass.batch, pass.tokens}, cache);
    std::copy(cache.head.logits.begin(), cache.head.logits.end(), y.begin());
  }
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in> x,
                       View<const T, dynamic, out> dy, View<T, dynamic, in> dx, const C& cache, const P& grads) {
    const auto tokens = some_tokens(pass.rows(), 7, {5, 5});
    std::copy(dy.begin(), dy.end(), cache.head.logits.begin());
    std::fill(dx.begin() + pass.batch * in, dx.end(), T(0));  // the other rows of x are not read
    D::backward(ctx, p.decoder, p.table, pass, View<const T, dynamic, in>(x.data(), pass.batch),
                {tokens.data(), pass.batch, pass.tokens}, View<T, dynamic, in>(dx.data(), pass.batch), cache, grads.decoder,
                grads.table);
  }
};

/// Logits (T, V) of one answer.
template <class D, class B>
std::vector<float> logits(const std::vector<Token>& answer) {
  Fixture<Subject<D>, B, float> f({1, std::ssize(answer)});
  D::forward(f.ctx, f.params.tree().decoder, f.params.tree().table, f.acts.pass(), View<const float, dynamic, 5>(f.x.data(), 1),
             {answer.data(), 1, std::ssize(answer)}, f.acts.cache());
  const auto& found = f.acts.cache().head.logits;
  return {found.begin(), found.end()};
}

}  // namespace

static_assert(num_params<Subject<Decoder<2>>> == 137 * 6 + 5 * 12 + 2 * num_params<Block> + 6);
static_assert(num_params<Subject<Decoder<2, TokensOnce, Untied>>> == num_params<Subject<Decoder<2>>> + 42);

TEMPLATE_TEST_CASE("LatentDecoder: gradients", "[nn][latent_decoder][gradient]", Decoder<1>, Decoder<3>,
                   (Decoder<2, TokensTwice>), (Decoder<2, TokensOnce, Untied>), (Decoder<2, TokensOnce, Tied, 7>)) {
  check_gradients<Subject<TestType>>({2, 3});
  check_gradients<Subject<TestType>>({2, 1});
}

TEST_CASE("LatentDecoder: gradients with dropout", "[nn][latent_decoder][gradient]") {
  check_gradients<Subject<Decoder<2>>>({2, 3}, 0.3);
}

TEST_CASE("LatentDecoder: backends agree", "[nn][latent_decoder][parity]") {
  check_backends<Subject<Decoder<3>>>();
  check_backends<Subject<Decoder<2, TokensTwice>>>();
  check_backends<Subject<Decoder<2>>>(0.2);
}

TEMPLATE_TEST_CASE("LatentDecoder: no logit depends on its token or on what comes after", "[nn][latent_decoder]",
                   ReferenceBackend, EigenBackend) {
  constexpr std::size_t tokens = 70;
  const auto answer = some_tokens(tokens, 7, {5, 5});
  const auto before = logits<Decoder<3>, TestType>(answer);
  for (const std::size_t t : {std::size_t{0}, std::size_t{1}, std::size_t{60}, tokens - 1}) {
    auto changed = answer;
    changed[t] = (changed[t] + 1) % 7;
    const auto after = logits<Decoder<3>, TestType>(changed);
    CAPTURE(t);
    CHECK(std::memcmp(before.data(), after.data(), 7 * (t + 1) * sizeof(float)) == 0);
    CHECK((t + 1 == tokens || after[7 * (t + 1)] != before[7 * (t + 1)]));
  }
}

TEMPLATE_TEST_CASE("LatentDecoder: token by token equals the full pass", "[nn][latent_decoder][decode]",
                   Decoder<1>, Decoder<3>, (Decoder<2, TokensTwice>)) {
  constexpr Index batch = 2, tokens = 6;
  Fixture<Subject<TestType>, EigenBackend, double> f({batch, tokens});
  f.forward();
  const auto answers = some_tokens(batch * tokens, 7, {5, 5});
  const DecodeState<TestType, double> state(batch, tokens);
  const View<const double, dynamic, 5> z(f.x.data(), batch);
  typename TestType::template Cache<double> step{};
  PlannedMemory<HostSpace> memory;
  const auto lay_out = [&](Index rows) { return [&, rows](Arena& arena) { TestType::plan_step(arena, step, batch, rows); }; };
  memory.allocate(lay_out(TestType::prefixes));
  for (Index t = 0; t < tokens; ++t) {
    if (t == 1) memory.bind(lay_out(1));
    std::vector<Token> last;
    for (Index b = 0; t > 0 && b < batch; ++b) last.push_back(answers[static_cast<std::size_t>(b * tokens + t - 1)]);
    if (t == 0)
      TestType::begin(f.ctx, f.params.tree().decoder, batch, z, step, state.cache);
    else
      TestType::next(f.ctx, f.params.tree().decoder, f.params.tree().table, t - 1, {last.data(), batch, 1}, step, state.cache);
    for (Index b = 0; b < batch; ++b)
      for (Index v = 0; v < 7; ++v)
        CHECK(step.head.logits(b, v) == Approx(f.y(b * tokens + t, v)).epsilon(1e-12).margin(1e-13));
  }
}
