// Attention of each text's newest token to its KV cache, as in generation with models b and c. A run takes the KV caches of
// all layers one after another; each has room for 128 tokens, of which 96 are written. The KV caches of one text stay in the
// CPU's cache, those of 16 texts do not.
#include <stlm/ops/attention.hpp>

#include "../support/models.hpp"
#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index, bench::Numbers;

struct Decoded {
  static constexpr Index capacity = 128, keys = 96;
  Index batch, layers, heads, size;
  Numbers cache, q, out, lse;
  Numbers::Matrix scores;
  Decoded(Index batch_, Index layers_, Index heads_, Index size_)
      : batch(batch_), layers(layers_), heads(heads_), size(size_), cache(2 * layers * batch * capacity, heads * size),
        q(batch, heads * size), out(batch, heads * size), lse(batch, heads) {}

  Index width() const { return heads * size; }
  /// Keys (i = 0) or values (i = 1) of a layer.
  float* part(Index layer, Index i) const { return cache.data() + (2 * layer + i) * batch * capacity * width(); }
  stlm::HeadsView<float> view(float* data, Index tokens) const {
    return {data, heads, size, tokens * width(), width()};
  }
  void ours(Context& ctx) const {
    for (Index i = 0; i < layers; ++i)
      stlm::ops::attention_forward(ctx, view(q.data(), 1), view(part(i, 0), capacity), view(part(i, 1), capacity),
                                   view(out.data(), 1), lse.flat(), {batch, 1, keys});
  }
  auto head(float* data, Index tokens, Index b, Index h) const {
    return Eigen::Map<Numbers::Matrix, 0, Eigen::OuterStride<>>(data + b * tokens * width() + h * size,
                                                                std::min(tokens, keys), size, Eigen::OuterStride<>(width()));
  }
  void plain() {
    const float scale = 1 / std::sqrt(static_cast<float>(size));
    for (Index i = 0; i < layers; ++i)
      for (Index b = 0; b < batch; ++b)
        for (Index h = 0; h < heads; ++h) {
          scores.noalias() = head(q.data(), 1, b, h) * head(part(i, 0), capacity, b, h).transpose();
          auto p = scores.row(0).array();
          p = ((p - p.maxCoeff()) * scale).exp();
          head(out.data(), 1, b, h).noalias() = scores / p.sum() * head(part(i, 1), capacity, b, h);
        }
  }
};

template <class Config>
void add_decoded(const std::string& name) {
  for (const Index batch : {1, 16}) {
    constexpr Index read = 2 * Config::layers * Decoded::keys * Config::dim;
    bench::add(
        bench::sized("attention_decode/" + name, {batch, Decoded::keys}),
        {.flops = 2.0 * static_cast<double>(batch * read), .bytes = 4.0 * static_cast<double>(batch * read),
         .tokens = static_cast<double>(batch), .moves = bench::Moves::kRead},
        [=] { return Decoded(batch, Config::layers, Config::heads, Config::dim / Config::heads); },
        [](Decoded& d, Context& ctx) { d.ours(ctx); }, [](Decoded& d) { d.plain(); });
  }
}

const bench::Suite decoded([] {
  add_decoded<bench::B>("b");
  add_decoded<bench::C>("c");
});

}  // namespace
