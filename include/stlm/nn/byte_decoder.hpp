// ByteDecoder: predicts the bytes of the next patch one after another, from the core's state and the patch's earlier bytes.
//
//   e_i = Table[symbol i-1] + P[i] + W x,   logits_i = Table Norm(Blocks(e)_i)
//
// x (B*S, Dim), W (ByteDim, Dim) -> logits (symbols, 258), with the patches packed. Row i of a patch reads the earlier symbols
// of the patch, or id 256 in front of the first, and the state x of the previous patch. Blocks are causal pre-norm blocks that
// see only their own patch. Table is the pool's: it embeds the symbols and gives their logits.
//
// The probability of a text is the product over its symbols, so bits per byte from this head are a true likelihood. `EmitsEnd`,
// for boundaries that look ahead, makes the end of a patch a symbol that counts in the loss; other ends follow from the bytes
// so far. Cached: the symbols, e, the blocks' output, its norm, the logits, and what the blocks cache.
#pragma once

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>
#include <stlm/ops/embedding.hpp>
#include <stlm/ops/patches.hpp>
#include <stlm/ops/segments.hpp>

namespace stlm {

template <Index Dim, Index ByteDim, Index Window, bool EmitsEnd, Index Layers, Index Heads, Index Hidden>
struct ByteDecoder {
  static_assert(Heads > 0 && ByteDim % Heads == 0, "stlm::ByteDecoder: heads do not divide ByteDim; change one of them.");
  static constexpr Index dim = Dim, byte_dim = ByteDim, window = Window, vocabulary = 258;
  static constexpr Token pad = 256, ignore = -1;
  static constexpr bool parallel = false;
  static constexpr Index first_patch = 1;  // emission contract: patch s + 1 is the first to read the state of patch s
  static constexpr bool emits_end = EmitsEnd;
  using Norm = RmsNorm<ByteDim>;
  using Blocks = Repeat<Layers, PreNormBlock<Norm, Attention<ByteDim, Heads, Heads, ByteDim / Heads, NoPosition>,
                                             SwiGlu<ByteDim, Hidden>>>;
  using Project = Linear<Dim, ByteDim>;

  template <class T>
  struct Params {
    typename Project::template Params<T> project;
    View<compute_t<T>, Window, ByteDim> position;
    typename Blocks::template Params<T> blocks;
    typename Norm::template Params<T> norm;
    Matrix<T, vocabulary, ByteDim> table;  // the pool's
  };
  template <class T>
  struct Cache {
    View<Index, dynamic> offsets;
    View<Token, dynamic> inputs, targets;
    View<T, dynamic, ByteDim> state, dstate;  // W x and its gradient, a row for each patch
    View<T, dynamic, ByteDim> embedded, last, normed, d;
    View<T, dynamic, vocabulary> logits;  // replaced by their gradient before `backward`
    typename Blocks::template Cache<T> blocks;
    typename Norm::template Cache<T> norm;
  };
  template <class T>
  using KvCache = typename Blocks::template KvCache<T>;

  template <class V, class P, class Table>
  static constexpr void visit(V& v, const Path& path, P& p, const Table& table) {
    static_assert(std::is_same_v<Table, std::remove_cvref_t<decltype(p.table)>>,
                  "stlm::ByteDecoder: it shares the pool's table, whose rows are not ByteDim wide; give it a BytePool of one "
                  "ByteDim with it, or use a head with a matrix of its own.");
    share(v, p.table, table);
    Project::visit(v, path / "project", p.project);
    v(path / "position" / "weight", p.position, ParameterSpec::table(0.02));
    Blocks::visit(v, path / "blocks", p.blocks);
    Norm::visit(v, path / "norm", p.norm);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    const Pass symbols = local(pass, {});
    arena.keep(cache.offsets, pass.rows() + 1);
    arena.keep(cache.inputs, symbols.rows());
    arena.keep(cache.targets, symbols.rows());
    arena.temp(cache.state, pass.rows());
    arena.temp(cache.dstate, pass.rows());
    arena.keep(cache.embedded, symbols.rows());
    arena.keep(cache.last, symbols.rows());
    arena.keep(cache.normed, symbols.rows());
    arena.keep(cache.logits, symbols.rows());
    arena.temp(cache.d, symbols.rows());
    arena.overlay([&] { Blocks::plan(arena, cache.blocks, symbols); }, [&] { Norm::plan(arena, cache.norm, symbols); });
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch) {
    Blocks::plan_decode(arena, state, batch, Window);
  }
  static constexpr Index rows_predicted(const ops::PatchSlots& slots) { return slots.total_symbols(); }
  static constexpr Index count_targets(const ops::PatchSlots& slots) { return slots.total_symbols(); }
  static constexpr double flops_per_patch() { return Project::flops_per_token(1); }
  /// Of one symbol, in a patch half full.
  static constexpr double flops_per_byte() { return Blocks::flops_per_token(Window / 2) + 2.0 * ByteDim * vocabulary; }

  /// `next` (B, S * Window): the slots of the patch that follows each patch. Fills `cache.logits` and `cache.targets`.
  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x,
                      View<const Token, dynamic, dynamic> next, const Cache<T>& cache) {
    ops::pack_symbols(ctx, {{next.data(), pass.rows(), Window}, pad, EmitsEnd}, cache.offsets, cache.inputs, cache.targets);
    const Pass symbols = local(pass, cache.offsets);
    Project::forward(ctx, p.project, pass, x, cache.state, Empty{});
    ops::embedding_forward(ctx, p.table, ids(cache), cache.embedded);
    ops::add_positions(ctx, p.position, Window, {}, cache.embedded, symbols.offsets);
    ops::segment_spread(ctx, cache.state, cache.embedded, segments(symbols), true);
    ops::dropout(ctx, cache.embedded, pass.dropout, pass.at(0).key);
    Blocks::forward(ctx, p.blocks, symbols.at(1), cache.embedded, cache.last, cache.blocks);
    predict(ctx, p, symbols, cache);
  }
  /// `cache.logits` holds their gradient.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> dx,
                       const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    const Pass symbols = local(pass, cache.offsets);
    ops::gemm<S>(ctx, cache.logits, cache.normed, grads.table, {.transpose_a = true, .accumulate = true});
    ops::gemm(ctx, cache.logits, p.table, cache.d);
    Norm::backward(ctx, p.norm, symbols, cache.last, cache.d, cache.normed, cache.norm, grads.norm);  // into normed
    Blocks::backward(ctx, p.blocks, symbols.at(1), cache.embedded, cache.normed, cache.blocks, grads.blocks);
    ops::dropout(ctx, cache.normed, pass.dropout, pass.at(0).key);
    ops::segment_sum(ctx, cache.normed, cache.dstate, segments(symbols));
    ops::add_positions_backward(ctx, cache.normed, Window, grads.position, symbols.offsets);
    ops::embedding_backward(ctx, ids(cache), cache.normed, grads.table);
    Project::backward(ctx, p.project, pass, x, cache.dstate, dx, Empty{}, grads.project);
  }

  /// Logits of the symbol at `position` in a patch, from the state x (1, Dim) of the previous patch and the `previous` symbol,
  /// which is `pad` at position 0. `state` holds the blocks' keys and values of earlier symbols of the patch.
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, Index position, Rows<const T, Dim> x, const Token& previous,
                     const Cache<T>& cache, const KvCache<T>& state) {
    const Pass pass{1, 1, position};
    Project::forward(ctx, p.project, pass, x, cache.state, Empty{});
    ops::embedding_forward(ctx, p.table, {&previous, 1, 1}, cache.embedded);
    ops::add_positions(ctx, p.position, 1, {nullptr, position}, cache.embedded);
    ops::segment_spread(ctx, cache.state, cache.embedded, {1, 1}, true);
    Blocks::decode(ctx, p.blocks, pass, cache.embedded, cache.last, cache.blocks, state);
    predict(ctx, p, pass, cache);
  }

 private:
  /// The pass over the symbols of the patches of `pass`.
  static constexpr Pass local(const Pass& pass, View<const Index, dynamic> offsets) {
    return pass.pack(pass.rows(), Window, pass.bytes_predicted, offsets);
  }
  static ops::Segments segments(const Pass& symbols) { return {symbols.batch, Window, symbols.offsets}; }
  template <class T>
  static View<const Token, dynamic, dynamic> ids(const Cache<T>& cache) {
    return {cache.inputs.data(), 1, cache.inputs.size()};
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void predict(Context<B>& ctx, const Params<S>& p, const Pass& symbols, const Cache<T>& cache) {
    Norm::forward(ctx, p.norm, symbols, cache.last, cache.normed, cache.norm);
    ops::gemm(ctx, cache.normed, p.table, cache.logits, {.transpose_b = true});
  }
};

}  // namespace stlm
