// Seeded numbers for tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <stlm/core/bfloat16.hpp>
#include <stlm/core/random.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/core/tensor_view.hpp>
#include <stlm/eval/detail/deviation.hpp>

namespace stlm::test {

/// Fills with numbers in [-scale, scale). If `scale` is a power of two, they are exact in float: the same for all scalars.
template <class Tensor>
void fill(Tensor&& tensor, RandomKey key, double scale = 1) {
  using T = typename std::remove_cvref_t<Tensor>::value_type;
  for (Index i = 0; i < static_cast<Index>(tensor.size()); ++i)
    tensor.data()[i] =
        T(static_cast<compute_t<real_t<T>>>(scale * (2.0 * random_uniform(key, static_cast<std::uint64_t>(i)) - 1)));
}

/// `count` tokens below `vocabulary`; every fifth is `ignore` unless that is negative.
inline std::vector<Token> some_tokens(Index count, Index vocabulary, RandomKey key, Token ignore = -1) {
  std::vector<Token> tokens;
  for (Index i = 0; i < count; ++i) {
    const auto n = static_cast<std::uint64_t>(i);
    const auto token = static_cast<Token>(random_below(key, n, static_cast<std::uint64_t>(vocabulary)));
    tokens.push_back(ignore >= 0 && i % 5 == 4 ? ignore : token);
  }
  return tokens;
}

using stlm::detail::deviation;

/// The largest difference; infinity if one is NaN or the sizes differ.
inline double distance(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double off = std::abs(static_cast<double>(a[i] - b[i]));
    worst = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(worst, off);
  }
  return worst;
}

}  // namespace stlm::test
