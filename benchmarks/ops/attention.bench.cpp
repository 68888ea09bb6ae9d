// Causal attention of models a, b, c and of a long text, and attention inside packed patches, which is not causal.
//
// FLOPs count the keys that the mask lets a query read: two products forward and four backward, without the scores that
// backward recomputes. Plain Eigen stores the full square of scores, one head after another, and masks it.
#include <algorithm>
#include <limits>

#include <stlm/ops/attention.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index, bench::Numbers;
using stlm::HeadsView;

struct Attended {
  stlm::ops::AttentionShape shape;
  Index heads, size;
  std::vector<Index> offsets;
  Numbers qkv, dqkv, out, dout, lse;
  Numbers::Matrix scores, dscores;

  static Index rows(const stlm::ops::AttentionShape& s, const std::vector<Index>& packed) {
    return packed.empty() ? s.batch * s.queries : packed.back();
  }
  Attended(stlm::ops::AttentionShape shape_, Index heads_, Index size_, const std::vector<Index>& packed)
      : shape(shape_),
        heads(heads_),
        size(size_),
        offsets(packed),
        qkv(rows(shape, packed), 3 * heads * size),
        dqkv(rows(shape, packed), 3 * heads * size),
        out(rows(shape, packed), heads * size),
        dout(rows(shape, packed), heads * size),
        lse(rows(shape, packed) * heads) {
    if (!offsets.empty()) shape.offsets = {{offsets.data(), static_cast<Index>(offsets.size())}, offsets.back()};
  }

  HeadsView<float> part(const Numbers& x, Index i, Index parts) const {
    const Index width = heads * size;
    return {x.data() + i * width, heads, size, shape.queries * parts * width, parts * width};
  }
  void forward(Context& ctx) const {
    stlm::ops::attention_forward(ctx, part(qkv, 0, 3), part(qkv, 1, 3), part(qkv, 2, 3), part(out, 0, 1), lse.flat(),
                                 shape);
  }
  void backward(Context& ctx) const {
    stlm::ops::attention_backward(ctx, part(qkv, 0, 3), part(qkv, 1, 3), part(qkv, 2, 3), part(out, 0, 1), lse.flat(),
                                  part(dout, 0, 1), part(dqkv, 0, 3), part(dqkv, 1, 3), part(dqkv, 2, 3), shape);
  }

  /// Head h of sequence b as a matrix (T, D).
  auto head(const HeadsView<float>& x, Index b, Index h) const {
    return Eigen::Map<Numbers::Matrix, 0, Eigen::OuterStride<>>(
        x.sequence(b, shape.offsets)(0, 0, h), shape.num_keys(b), size, Eigen::OuterStride<>(x.token_stride));
  }
  template <class F>
  void each_head(const F& f) const {
    for (Index b = 0; b < shape.batch; ++b)
      for (Index h = 0; h < heads; ++h) f(b, h);
  }
  float scale() const { return 1 / std::sqrt(static_cast<float>(size)); }

  void plain_forward() {
    each_head([&](Index b, Index h) {
      scores.noalias() = head(part(qkv, 0, 3), b, h) * head(part(qkv, 1, 3), b, h).transpose();
      for (Index i = 0; i < scores.rows(); ++i) {
        auto seen = scores.row(i).head(shape.last_key(b, i)).array();
        const float top = seen.maxCoeff() * scale();
        seen = (seen * scale() - top).exp();
        const float sum = seen.sum();
        seen /= sum;
        lse[shape.row(heads, b, h, i)] = top + std::log(sum);
        scores.row(i).tail(scores.cols() - seen.size()).setZero();
      }
      head(part(out, 0, 1), b, h).noalias() = scores * head(part(qkv, 2, 3), b, h);
    });
  }
  void plain_backward() {
    each_head([&](Index b, Index h) {
      const auto q = head(part(qkv, 0, 3), b, h), k = head(part(qkv, 1, 3), b, h), v = head(part(qkv, 2, 3), b, h);
      const auto o = head(part(out, 0, 1), b, h), d = head(part(dout, 0, 1), b, h);
      scores.noalias() = q * k.transpose();
      dscores.noalias() = d * v.transpose();
      for (Index i = 0; i < scores.rows(); ++i) {
        const Index last = shape.last_key(b, i), rest = scores.cols() - last;
        auto p = scores.row(i).head(last).array();
        auto dp = dscores.row(i).head(last).array();
        p = (p * scale() - lse[shape.row(heads, b, h, i)]).exp();
        dp = scale() * p * (dp - d.row(i).dot(o.row(i)));
        scores.row(i).tail(rest).setZero();
        dscores.row(i).tail(rest).setZero();
      }
      head(part(dqkv, 2, 3), b, h).noalias() = scores.transpose() * d;
      head(part(dqkv, 0, 3), b, h).noalias() = dscores * k;
      head(part(dqkv, 1, 3), b, h).noalias() = dscores.transpose() * q;
    });
  }
};

void add_attention(const std::string& name, const stlm::ops::AttentionShape& shape, Index heads, Index size,
                   const std::vector<Index>& packed = {}) {
  const auto make = [=] {
    Attended data(shape, heads, size, packed);
    Context ctx;
    data.forward(ctx);  // backward needs its results
    return data;
  };
  stlm::ops::AttentionShape all = shape;
  if (!packed.empty()) all.offsets = {{packed.data(), static_cast<Index>(packed.size())}, packed.back()};
  Index keys = 0;
  for (Index b = 0; b < all.batch; ++b)
    for (Index i = 0; i < all.num_queries(b); ++i) keys += all.last_key(b, i);
  const double flops = static_cast<double>(4 * keys * heads * size), rows = static_cast<double>(all.rows());
  const double bytes = 4 * rows * static_cast<double>(heads * size);
  bench::add(
      "attention/forward/" + name, {.flops = flops, .bytes = 4 * bytes}, make,
      [](Attended& a, Context& ctx) { a.forward(ctx); }, [](Attended& a) { a.plain_forward(); });
  bench::add(
      "attention/backward/" + name, {.flops = 2 * flops, .bytes = 8 * bytes}, make,
      [](Attended& a, Context& ctx) { a.backward(ctx); }, [](Attended& a) { a.plain_backward(); });
}

const bench::Suite attentions([] {
  add_attention("B16_T128_H4_D32", {16, 128, 128}, 4, 32);
  add_attention("B16_T256_H4_D32", {16, 256, 256}, 4, 32);
  add_attention("B8_T256_H6_D64", {8, 256, 256}, 6, 64);
  add_attention("B4_T512_H8_D64", {4, 512, 512}, 8, 64);
  add_attention("B1_T4096_H6_D64", {1, 4096, 4096}, 6, 64);

  std::vector<Index> packed{0};
  for (const stlm::Token length : bench::tokens(1024, 10)) packed.push_back(packed.back() + length + 1);
  add_attention("patches_H4_D32", {1024, 24, 24, false}, 4, 32, packed);
});

}  // namespace
