#pragma once

#include <stlm/core/parameter.hpp>

namespace stlm {

/// Two matrices between vectors, of sizes that do not fill cache lines, and one matrix used twice.
struct ParameterModel {
  template <class T>
  struct Params {
    View<T, 3> first;
    View<T, 3, 5> wide;
    View<T, 20> second;
    View<T, 2, 2, 100> deep;
    View<T, 3, 5> wide_again;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "first", p.first, ParameterSpec::ones());
    v(path / "wide", p.wide, ParameterSpec::matrix(16));
    v(path / "part" / Index{7} / "second", p.second, ParameterSpec::bias(100));
    v(path / "deep", p.deep, ParameterSpec::table(0.5));
    share(v, p.wide_again, p.wide);
  }
};

}  // namespace stlm
