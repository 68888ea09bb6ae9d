// Unpadded<Encoder>: texts of different lengths without padding, and so without masks; no text reads another.
//
//   tokens: all texts one after another;   lengths (B)   ->   z (B, Latent)
//
// Consecutive texts of equal length go through the encoder as one batch. With padding and masks, the padding would be
// computed and thrown away, every op of the encoder would need to know the mask, and the number of tokens that a pool keeps
// would need a second definition. Packed rows would need the offsets of every pool's output before memory is laid out.
//
// The latent of a text does not depend on the other texts of its batch, except for rounding: a backend may sum in another
// order in products of more rows, as EigenBackend does above 16 rows. The price: weights are read, and their gradients added,
// once for each run of equal lengths instead of once for the batch. Loaders sort a batch to make runs long.
#pragma once

#include <stlm/nn/replanned.hpp>

namespace stlm {

template <class Encoder>
struct Unpadded {
  static constexpr Index latent = Encoder::latent;
  using Texts = View<const Token, dynamic>;
  using Lengths = View<const Index, dynamic>;

  template <class T>
  using Params = typename Encoder::template Params<T>;
  template <class T>
  using Cache = typename Replanned<Encoder>::template Cache<T>;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Encoder::visit(v, path, p);
  }
  /// `pass.tokens`: the largest number of tokens of one text.
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    Replanned<Encoder>::plan(arena, cache, pass);
  }

  static void expect_texts(const Pass& pass, Texts tokens, Lengths lengths) {
    expect(lengths.size() == pass.batch, "stlm::Unpadded: expected the lengths of ", pass.batch, " texts, found ",
           lengths.size(), "; build Activations for the batch's shape.");
    Index sum = 0;
    for (Index b = 0; b < pass.batch; sum += lengths(b++))
      expect(1 <= lengths(b) && lengths(b) <= pass.tokens, "stlm::Unpadded: text ", b, " has ", lengths(b),
             " tokens, expected 1 to ", pass.tokens, "; build Activations for the longest text.");
    expect(sum == tokens.size(), "stlm::Unpadded: the lengths add up to ", sum, " tokens, found ", tokens.size(),
           "; give the texts one after another, without padding.");
  }
  template <class B, class P, class T>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, Texts tokens, Lengths lengths, Rows<T, latent> z,
                      const Cache<T>& cache) {
    expect_texts(pass, tokens, lengths);
    each_run(pass, lengths, [&](const Pass& run, Index first, Index row) {
      Encoder::forward(ctx, p, run, {tokens.data() + row, run.batch, run.tokens}, rows(z, run, first),
                       Replanned<Encoder>::at(cache, run, first));
    });
  }
  template <class B, class P, class T, class G>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, Texts tokens, Lengths lengths,
                       Rows<T, latent> dz, const Cache<T>& cache, const G& grads) {
    each_run(pass, lengths, [&](const Pass& run, Index first, Index row) {
      Encoder::backward(ctx, p, run, {tokens.data() + row, run.batch, run.tokens}, rows(dz, run, first),
                        Replanned<Encoder>::at(cache, run, first), grads);
    });
  }

 private:
  /// Calls f(pass of the run, its first text, its first token) for each run of equal lengths.
  template <class F>
  static void each_run(const Pass& pass, Lengths lengths, F&& f) {
    for (Index first = 0, row = 0; first < pass.batch;) {
      Pass run = pass.at(static_cast<std::uint64_t>(first));
      run.tokens = lengths(first);
      for (run.batch = 1; first + run.batch < pass.batch && lengths(first + run.batch) == run.tokens;) ++run.batch;
      f(run, first, row);
      first += run.batch;
      row += run.rows();
    }
  }
  template <class T>
  static View<T, dynamic, latent> rows(View<T, dynamic, latent> z, const Pass& run, Index first) {
    return {z.data() + first * latent, Extents<dynamic, latent>(run.batch)};
  }
};

}  // namespace stlm
