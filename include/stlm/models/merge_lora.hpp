// merge_lora: a model's low-rank terms added to the matrices beside them, for inference without the terms.
//
//   const stlm::Parameters<stlm::Merged<Model>, Backend> merged = stlm::merge_lora(ctx, params);
//
//   W' = W + s B A,     b' = b + s B a + b_lora         s = Alpha / Rank (nn/lora.hpp)
//
// Merged<Model> is Model without low-rank terms; merge_lora does not compile if a module of your own holds some. Layers that
// shared a matrix and differed in the term each own a matrix afterwards, so the merged model is larger, but cheaper to run. A
// LoraMixture depends on the token, so it stays.
#pragma once

#include <map>
#include <string>

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>
#include <stlm/nn/sequential.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm {

namespace detail {

/// A module without its low-rank terms. A module that has none stays as it is.
template <class M>
struct MergedModule {
  using type = M;
};
template <class M>
using merged_t = typename MergedModule<M>::type;

template <class LowRank, class Base>
struct MergedModule<WithLora<LowRank, Base>> {
  static_assert(!LowRank::biased || std::is_same_v<Base, NoBias> || std::is_same_v<Base, WithBias>,
                "stlm::merge_lora: a biased LoRA beside linear layers of another kind, such as LoraMixture, leaves no place "
                "for its bias; use stlm::Lora, or merge before mixing.");
  using type = std::conditional_t<LowRank::biased, WithBias, Base>;
};
template <class M>
  requires requires { typename M::template WithLinears<typename M::linears>; }
struct MergedModule<M> {
  using type = typename M::template WithLinears<merged_t<typename M::linears>>;
};
template <class Norm, class A, class F, class FfnSharing, class OutSharing>
struct MergedModule<PreNormBlock<Norm, A, F, FfnSharing, OutSharing>> {
  using Ffn = SharedModule<F, FfnSharing>;
  template <class M, class Sharing>  // matrices that now differ between layers cannot be shared
  using Kept = std::conditional_t<std::is_same_v<merged_t<M>, M>, Sharing, Owned>;
  using type = PreNormBlock<Norm, merged_t<A>, merged_t<Ffn>, Kept<Ffn, FfnSharing>, Kept<A, OutSharing>>;
};
template <Index Count, class Block, class Sharing>
struct MergedModule<Repeat<Count, Block, Sharing>> {
  using type = Repeat<Count, merged_t<Block>, Sharing>;
};
template <class... Modules>
struct MergedModule<Sequential<Modules...>> {
  using type = Sequential<merged_t<Modules>...>;
};
template <class M>
  requires requires { typename M::template WithCore<typename M::Core>; }
struct MergedModule<M> {
  using type = typename M::template WithCore<merged_t<typename M::Core>>;
};

/// All tensors of a model by name; a tensor that layers share is listed under the name that it has in each.
template <class T>
struct TensorsByName {
  using Matrix = View<T, dynamic, dynamic>;
  static constexpr bool every_use = true;
  std::map<std::string, Matrix> tensors;
  std::map<std::string, double> factors;

  template <class Shape>
  void operator()(const Path& path, TensorView<T, Shape>& view, const ParameterSpec& spec) {
    const MatrixView<T> matrix(view);
    tensors[path.str()] = Matrix(view.data(), matrix.rows, matrix.cols);
    factors[path.str()] = spec.factor;
  }
  /// Empty if there is no tensor of that name.
  Matrix find(const std::string& name) const {
    const auto found = tensors.find(name);
    return found == tensors.end() ? Matrix{} : found->second;
  }
};

/// Whether a model holds low-rank terms: tensors that are `per_layer`.
struct HoldsLora {
  bool any = false;
  template <class T, class Shape>
  constexpr void operator()(const Path&, TensorView<T, Shape>&, const ParameterSpec& spec) {
    any = any || spec.per_layer;
  }
};

}  // namespace detail

template <class Model>
using Merged = detail::merged_t<Model>;

template <class Model, class B, class T>
Parameters<Merged<Model>, B, T> merge_lora(Context<B>& ctx, const Parameters<Model, B, T>& params) {
  static_assert(!detail::visited<Merged<Model>>(detail::HoldsLora{}).any,
                "stlm::merge_lora: a module or model that it does not know holds low-rank terms, which would stay beside "
                "their sum; specialise stlm::detail::MergedModule for it.");
  detail::TensorsByName<T> from;
  typename Model::template Params<T> tree = params.tree();
  Model::visit(from, Path{}, tree);

  Parameters<Merged<Model>, B, T> merged(ctx);
  merged.for_each([&](const Path& path, const auto& view, const ParameterSpec&) {
    const std::string name = path.str();
    if (const auto base = from.find(name)) ops::axpby(ctx, T(1), base, T(0), view);

    const std::string_view part = path.name;  // "weight" or "bias"
    const std::string lora = name.substr(0, name.size() - part.size()) + "lora_";
    const auto a = from.find(lora + (part == "weight" ? "a" : "a_bias")), b = from.find(lora + "b");
    if (!a || !b) return;
    const Buffer<T, typename B::memory_space> memory(b.size());
    const View<T, dynamic, dynamic> scaled(memory.data(), b.extents());
    ops::axpby(ctx, T(from.factors.at(lora + "b")), b, T(0), scaled);
    if (part == "weight") {
      ops::gemm(ctx, scaled, a, view, {.accumulate = true});
    } else {
      ops::gemm(ctx, a, scaled, view, {.transpose_b = true, .accumulate = true});
      ops::axpby(ctx, T(1), from.find(lora + "b_bias"), T(1), view);
    }
  });
  return merged;
}

}  // namespace stlm
