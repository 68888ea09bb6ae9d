// expect: stlm::Repeat, stlm::Sequential: a module has neither KvCache and `decode` nor `static constexpr bool per_token = true`
#include <stlm/backend/eigen.hpp>
#include <stlm/infer/generator.hpp>
#include <stlm/models/byte_model.hpp>

constexpr stlm::Index dim = 16, vocabulary = stlm::ByteTokenizer::vocabulary;

struct Twice {  // y = 2 x
  static constexpr stlm::Index dim = ::dim;
#ifdef STLM_FIXED
  static constexpr bool per_token = true;
#endif
  template <class T>
  using Params = stlm::Empty;
  template <class T>
  using Cache = stlm::Empty;
  template <class V, class P>
  static constexpr void visit(V&, const stlm::Path&, P&) {}
  template <class A, class C>
  static constexpr void plan(A&, C&, const stlm::Pass&) {}
  template <class B, class X, class Y>
  static void forward(stlm::Context<B>& ctx, const stlm::Empty&, const stlm::Pass&, const X& x, const Y& y, const stlm::Empty&) {
    stlm::ops::add(ctx, x, x, y);
  }
};
using Norm = stlm::RmsNorm<dim>;
using Layer = stlm::PreNormBlock<Norm, stlm::Attention<dim, 2, 2, 8>, stlm::SwiGlu<dim, 32>>;
using Model = stlm::LanguageModel<stlm::TokenEmbedding<vocabulary, dim>, stlm::Sequential<Layer, Twice>,
                                  stlm::Head<Norm, dim, vocabulary>, stlm::ByteTokenizer::pad>;

std::string text(stlm::Context<stlm::EigenBackend>& ctx, const stlm::Parameters<Model, stlm::EigenBackend>& params) {
  return stlm::sample(ctx, params, "a", 32);
}
