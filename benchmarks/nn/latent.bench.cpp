// The parts of a next-thought model of width 256 with a latent of 768, on 8 texts of 256 tokens: a pool that keeps half of
// the tokens, the encoder with this pool and one more, the decoder; and the two cores, on 256 latents.
#include <stlm/nn/block.hpp>
#include <stlm/nn/latent_core.hpp>
#include <stlm/nn/latent_decoder.hpp>
#include <stlm/nn/latent_encoder.hpp>
#include <stlm/nn/repeat.hpp>
#include <stlm/nn/swiglu.hpp>

#include "../support/module.hpp"

namespace {

using bench::Index, bench::Pass;

constexpr Index latent = 768;
constexpr Pass texts{8, 256};

using TextEmbedding = stlm::TokenEmbedding<258, 256, stlm::LearnedPosition<256>>;
template <class Mask>
using TextBlock = stlm::PreNormBlock<stlm::RmsNorm<256>, stlm::Attention<256, 4, 4, 64, stlm::Rotary<>, Mask>,
                                     stlm::SwiGlu<256, 704>>;
using TextEncoder = stlm::LatentEncoder<TextEmbedding, stlm::Repeat<1, TextBlock<stlm::Bidirectional>>,
                                        stlm::AttentionPool<256, 512, 4, 500>, stlm::AttentionPool<512, latent, 4, 500>>;
using TextHead = stlm::Head<stlm::RmsNorm<256>, 256, 258, stlm::Tied, false, (Index{1} << 60)>;
using TextDecoder = stlm::LatentDecoder<latent, 16, TextEmbedding, stlm::Repeat<4, TextBlock<stlm::Causal>>, TextHead>;

template <class Pool>
double flops_of(const Pass& pass) {
  const double tokens = static_cast<double>(pass.rows()), kept = static_cast<double>(Pool::after(pass).rows());
  return tokens * Pool::Mixer::flops_per_token(pass.tokens) +
         kept * (Pool::Up::flops_per_token(1) + Pool::Down::flops_per_token(1));
}

/// The first `count` rows, for a module that has fewer rows on one side than the pass.
template <class View>
View first(const View& rows, Index count) {
  return View(rows.data(), count);
}

void add_pool() {
  using M = TextEncoder::Pool<0>;
  bench::add_module<M, M::in, M::out>(
      "attention_pool/256_512", texts, flops_of<M>(texts),
      [](auto& d) {
        M::forward(d.ctx, d.params.tree(), d.pass, d.x, first(d.y, M::after(d.pass).rows()), d.cache);
      },
      [](auto& d) {
        M::backward(d.ctx, d.params.tree(), d.pass, d.x, first(d.dy, M::after(d.pass).rows()), d.dx, d.cache, d.grads.tree());
      });
}

void add_encoder() {
  using M = TextEncoder;
  const auto ids = bench::tokens(texts.rows(), TextHead::vocabulary);
  const double flops = static_cast<double>(texts.rows()) * M::Core::flops_per_token(texts.tokens) +
                       flops_of<M::Pool<0>>(texts) + flops_of<M::Pool<1>>(M::reach<1>(texts));
  bench::add_module<M, 0, latent>(
      "latent_encoder/256_768", texts, flops,
      [ids](auto& d) {
        M::forward(d.ctx, d.params.tree(), d.pass, bench::sequences(ids, texts.batch), first(d.y, texts.batch), d.cache);
      },
      [ids](auto& d) {
        M::backward(d.ctx, d.params.tree(), d.pass, bench::sequences(ids, texts.batch), first(d.dy, texts.batch), d.cache,
                    d.grads.tree());
      });
}

/// The decoder together with the embedding that it borrows.
struct WithEmbedding : TextDecoder {
  using Base = TextDecoder;
  template <class T>
  struct Params {
    typename Base::template Table<T> table;
    typename Base::template Params<T> module;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const stlm::Path& path, P& p) {
    TextEmbedding::visit(v, path / "embedding", p.table);
    Base::visit(v, path, p.module, p.table.table);
  }
};

void add_decoder() {
  using M = WithEmbedding;
  const auto ids = bench::tokens(texts.rows(), TextHead::vocabulary);
  const Index stream = texts.tokens + M::prefixes - 1;
  const double flops = static_cast<double>(texts.batch * stream) * M::Core::flops_per_token(stream) +
                       static_cast<double>(texts.batch) * M::Prefix::flops_per_token(1) +
                       static_cast<double>(texts.rows()) * M::Head::flops_per_token(1);
  bench::add_module<M, latent, 0>(
      "latent_decoder/768_256", texts, flops,
      [ids](auto& d) {
        const auto& p = d.params.tree();
        M::forward(d.ctx, p.module, p.table, d.pass, first(d.x, texts.batch), bench::sequences(ids, texts.batch), d.cache);
      },
      [ids](auto& d) {
        const auto &p = d.params.tree(), &grads = d.grads.tree();
        M::backward(d.ctx, p.module, p.table, d.pass, first(d.x, texts.batch), bench::sequences(ids, texts.batch),
                    first(d.dx, texts.batch), d.cache, grads.module, grads.table);
      });
}

const bench::Suite latents([] {
  add_pool();
  add_encoder();
  add_decoder();
  bench::add_module<stlm::LatentMlp<latent>, latent, latent>("latent_mlp/768", {256, 1});
  bench::add_module<stlm::LatentConv<latent, 32, 96, 4>, latent, latent>("latent_conv/768_32_96_4", {256, 1});
});

}  // namespace
