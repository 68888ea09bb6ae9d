// LinearByteHead: predicts all bytes of the next patch by one matrix, each slot independently of the others given the state.
//
//   logits of slot i = W_i x,    x (B*S, Dim), W (Window * 258, Dim) -> logits (B*S * Window, 258)
//
// For patches of a fixed length (StridePool): of a patch that is not full, only the bytes are predicted. For boundaries that
// look ahead, `EmitsEnd` makes the end of a shorter patch a symbol to predict. Cached: the targets and the logits.
#pragma once

#include <stlm/nn/linear.hpp>
#include <stlm/ops/patches.hpp>

namespace stlm {

template <Index Dim, Index Window, bool EmitsEnd = false>
struct LinearByteHead {
  static constexpr Index dim = Dim, window = Window, vocabulary = 258;
  static constexpr Token pad = 256, ignore = -1;
  static constexpr bool parallel = true;
  static constexpr Index first_patch = 1;  // emission contract: patch s + 1 is the first to read the state of patch s
  static constexpr bool emits_end = EmitsEnd;
  using Project = Linear<Dim, Window * vocabulary>;

  template <class T>
  struct Params {
    typename Project::template Params<T> project;
  };
  template <class T>
  struct Cache {
    View<Token, dynamic> targets;
    View<T, dynamic, vocabulary> logits;  // replaced by their gradient before `backward`
  };

  template <class V, class P, class Table>
  static constexpr void visit(V& v, const Path& path, P& p, const Table&) {
    ParameterSpec spec = ParameterSpec::matrix(Dim);
    spec.role = Role::kTable;  // as the matrices of other heads: Muon does not orthogonalise it
    v(path / "project" / "weight", p.project.weight, spec);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.targets, pass.rows() * Window);
    arena.keep(cache.logits, pass.rows() * Window);
  }
  static constexpr Index rows_predicted(const ops::PatchSlots& slots) { return slots.ids.size(); }
  static constexpr Index count_targets(const ops::PatchSlots& slots) { return slots.total_symbols(); }
  static constexpr double flops_per_patch() { return Project::flops_per_token(1); }
  static constexpr double flops_per_byte() { return 0; }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x,
                      View<const Token, dynamic, dynamic> next, const Cache<T>& cache) {
    ops::slot_targets(ctx, {{next.data(), pass.rows(), Window}, pad, EmitsEnd}, cache.targets, ignore, true);
    logits(ctx, p, pass, x, cache);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void logits(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, const Cache<T>& cache) {
    Project::forward(ctx, p.project, pass, x, in_patches(cache), Empty{});
  }
  /// `cache.logits` holds their gradient.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> dx,
                       const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    Project::backward(ctx, p.project, pass, x, in_patches(cache), dx, Empty{}, grads.project);
  }

 private:
  template <class T>
  static View<T, dynamic, Window * vocabulary> in_patches(const Cache<T>& cache) {
    return {cache.logits.data(), cache.logits.extent(0) / Window};
  }
};

}  // namespace stlm
