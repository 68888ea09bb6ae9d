// expect: stlm::merge_lora: a module or model that it does not know holds low-rank terms
#include <stlm/backend/reference.hpp>
#include <stlm/models/merge_lora.hpp>

template <class Linears>
struct Wide {
  using linears = Linears;
  using Layer = typename Linears::template Linear<8, 12>;
#ifdef STLM_FIXED
  template <class Other>
  using WithLinears = Wide<Other>;
#endif
  template <class T>
  using Params = typename Layer::template Params<T>;

  template <class V, class P>
  static constexpr void visit(V& v, const stlm::Path& path, P& p) {
    Layer::visit(v, path / "layer", p);
  }
};
using Model = Wide<stlm::WithLora<stlm::Lora<2>>>;
using Backend = stlm::ReferenceBackend;

void merge(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params) { stlm::merge_lora(ctx, params); }
