// ParallelByteHead: predicts all bytes of the next patch at once, each slot independently of the others given the core's state.
//
//   z = W x, in Window vectors of ByteDim,   z_i += P[i],   logits = U Norm(Blocks(z))
//
// x (B*S, Dim), W (Window * ByteDim, Dim) -> logits (B*S * Window, 258). Every slot is a row, whatever the patch's length: with
// fewer rows the head would know the length before it is predicted. The target of the first empty slot is the end of the patch;
// later empty slots do not count. So the loss is the length of a code that can be decoded, but one that treats the bytes of a
// patch as independent of each other. With ReferenceQuirks: 2 z + P, no norm, and all slots count except those with id 257.
// Cached: the targets, z, the blocks' output, its norm, the logits, and what the blocks cache.
#pragma once

#include <stlm/nn/byte_blocks.hpp>
#include <stlm/ops/embedding.hpp>
#include <stlm/ops/patches.hpp>

namespace stlm {

namespace detail {
template <class Block, std::size_t>
using Each = Block;
template <class Block, std::size_t... I>
ByteBlocks<Each<Block, I>...> repeated(std::index_sequence<I...>);
}  // namespace detail

template <Index Dim, Index ByteDim = 128, Index Window = 12, class Policy = CorrectBytes, std::size_t Layers = 7,
          Index Heads = 8>
struct ParallelByteHead {
  static constexpr Index dim = Dim, byte_dim = ByteDim, window = Window, vocabulary = 258;
  static constexpr Token pad = 256, ignore = Policy::masks_pads ? -1 : 257;
  static constexpr bool parallel = true;
  static constexpr Index first_patch = 1;   // emission contract: patch s + 1 is the first to read the state of patch s
  static constexpr bool emits_end = true;   // by the pad in the first empty slot
  static constexpr bool ends_by_text = Policy::ends_by_text;
  using Block = ByteBlock<ByteDim, ByteDim, 4 * ByteDim, Heads, Policy>;
  using Blocks = decltype(detail::repeated<Block>(std::make_index_sequence<Layers>{}));
  using Norm = std::conditional_t<Policy::final_norm, RmsNorm<ByteDim>, NoNorm<ByteDim>>;
  using Project = Linear<Dim, Window * ByteDim>;

  template <class T>
  struct Params {
    typename Project::template Params<T> project;
    View<compute_t<T>, Window, ByteDim> position;
    typename Blocks::template Params<T> blocks;
    typename Norm::template Params<T> norm;
    Matrix<T, vocabulary, ByteDim> weight;
  };
  template <class T>
  struct Cache {
    View<Token, dynamic> targets;
    View<T, dynamic, ByteDim> z, last, normed, dz;
    View<T, dynamic, vocabulary> logits;  // replaced by their gradient before `backward`
    typename Blocks::template Cache<T> blocks;
    typename Norm::template Cache<T> norm;
  };

  /// The pool's table is not used: the reference's head has a matrix of its own.
  template <class V, class P, class Table>
  static constexpr void visit(V& v, const Path& path, P& p, const Table&) {
    Project::visit(v, path / "project", p.project);
    v(path / "position" / "weight", p.position, ParameterSpec::table(0.02));
    Blocks::visit(v, path / "blocks", p.blocks);
    Norm::visit(v, path / "norm", p.norm);
    ParameterSpec spec = ParameterSpec::matrix(ByteDim);
    spec.role = Role::kTable;
    v(path / "weight", p.weight, spec);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    const Pass slots = local(pass);
    arena.keep(cache.targets, slots.rows());
    arena.keep(cache.z, slots.rows());
    arena.keep(cache.last, slots.rows());
    arena.keep(cache.normed, slots.rows());
    arena.keep(cache.logits, slots.rows());
    arena.temp(cache.dz, slots.rows());
    Blocks::plan(arena, cache.blocks, slots);
    Norm::plan(arena, cache.norm, slots);
  }
  static constexpr Index rows_predicted(const ops::PatchSlots& slots) { return slots.ids.size(); }
  static Index count_targets(const ops::PatchSlots& slots) {
    if (Policy::masks_pads) return slots.total_symbols();
    Index count = 0;
    for (Index p = 0; p < slots.patches(); ++p)
      for (Index i = 0; i < Window && slots.length(p) > 0; ++i) count += slots.ids(p, i) != ignore;
    return count;
  }
  static constexpr double flops_per_patch() { return Project::flops_per_token(1); }
  /// Of one slot.
  static constexpr double flops_per_byte() { return Blocks::flops_per_token(Window) + 2.0 * ByteDim * vocabulary; }

  /// `next` (B, S * Window): the slots of the patch that follows each patch. Fills `cache.logits` and `cache.targets`.
  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x,
                      View<const Token, dynamic, dynamic> next, const Cache<T>& cache) {
    const View<const Token, dynamic, dynamic> patches(next.data(), pass.rows(), Window);
    ops::slot_targets(ctx, {patches, pad, true}, cache.targets, ignore, Policy::masks_pads);
    logits(ctx, p, pass, x, cache);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void logits(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, const Cache<T>& cache) {
    const Pass slots = local(pass);
    Project::forward(ctx, p.project, pass, x, in_patches(cache.z), Empty{});
    if constexpr (Policy::positions_twice) ops::axpby(ctx, T(2), cache.z, T(0), cache.z);
    ops::add_positions(ctx, p.position, Window, {}, cache.z);
    Blocks::forward(ctx, p.blocks, slots, cache.z, cache.last, cache.blocks);
    Norm::forward(ctx, p.norm, slots, cache.last, cache.normed, cache.norm);
    ops::gemm(ctx, cache.normed, p.weight, cache.logits, {.transpose_b = true});
  }
  /// `cache.logits` holds their gradient.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> dx,
                       const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    const Pass slots = local(pass);
    ops::gemm<S>(ctx, cache.logits, cache.normed, grads.weight, {.transpose_a = true, .accumulate = true});
    ops::gemm(ctx, cache.logits, p.weight, cache.dz);
    Norm::backward(ctx, p.norm, slots, cache.last, cache.dz, cache.normed, cache.norm, grads.norm);  // into normed
    Blocks::backward(ctx, p.blocks, slots, cache.z, cache.normed, cache.dz, cache.blocks, grads.blocks);
    ops::add_positions_backward(ctx, cache.dz, Window, grads.position);
    if constexpr (Policy::positions_twice) ops::axpby(ctx, T(2), cache.dz, T(0), cache.dz);
    Project::backward(ctx, p.project, pass, x, in_patches(cache.dz), dx, Empty{}, grads.project);
  }

 private:
  static constexpr Pass local(const Pass& pass) { return pass.pack(pass.rows(), Window, -1, {}); }
  template <class T>
  static View<T, dynamic, Window * ByteDim> in_patches(View<T, dynamic, ByteDim> z) {
    return {z.data(), z.extent(0) / Window};
  }
};

}  // namespace stlm
