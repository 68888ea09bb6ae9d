// expect: stlm::Muon: the row_parts of a tensor do not add up to its rows
#include <stlm/backend/eigen.hpp>
#include <stlm/train/muon.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index last = 4;
#else
constexpr stlm::Index last = 3;
#endif

struct Stacked {
  template <class T>
  struct Params {
    stlm::View<T, 12, 8> w;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const stlm::Path& path, P& p) {
    stlm::ParameterSpec spec = stlm::ParameterSpec::matrix(8);
    spec.row_parts = {4, 4, last};
    v(path / "w", p.w, spec);
  }
};

stlm::Muon<Stacked, stlm::EigenBackend> muon(stlm::Context<stlm::EigenBackend>& ctx) {
  return stlm::Muon<Stacked, stlm::EigenBackend>(ctx, {});
}
