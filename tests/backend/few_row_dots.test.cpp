// Products of few rows read the weights in an order that depends on the processor: here both orders are compared.
#include <stlm/backend/eigen/gemm_few_rows.hpp>
#include <stlm/backend/eigen/int8_dots.hpp>

#include <algorithm>
#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace stlm;

namespace {

template <class T>
std::vector<T> some_numbers(Index count) {
  std::mt19937 random;
  std::uniform_real_distribution<T> number(-1, 1);
  std::vector<T> numbers(static_cast<std::size_t>(count));
  for (T& x : numbers) x = number(random);
  return numbers;
}

/// Dot products of m rows of A with n rows of B, each row followed by `gap` other units.
template <class S, bool Delay, class T>
std::vector<T> products(Index m, Index n, Index k, Index gap, bool accumulate) {
  const Index stride = k + gap;
  auto a = some_numbers<T>(m * stride + k), b = some_numbers<T>(n * stride);
  if constexpr (std::is_same_v<S, eigen::Bfloat16Pairs>) {
    using Pairs = eigen::GemmProduct<S>;
    if (m > 1 || !eigen::SpreadsPairs<S>) Pairs::pair_up(2 * m * stride, some_numbers<T>(2 * m * stride).data(), a.data());
    Pairs::pair_up(2 * n * stride, some_numbers<T>(2 * n * stride).data(), b.data());
  }
  std::vector<T> c(static_cast<std::size_t>(m * n), T(0.5));
  eigen::gemm_all_dots<S, Delay>(m, n, k, a.data(), stride, b.data(), stride, c.data(), n, accumulate);
  return c;
}

template <class S, class T>
void check_both_orders() {
  for (const Index m : {1, 2, 3, 4, 5, 16})
    for (const Index packets : {1, 3, 40})
      for (const Index gap : {0, 16})
        for (const bool accumulate : {false, true}) {
          CAPTURE(m, packets, gap, accumulate);
          const Index n = 11, k = packets * eigen::GemmSizes<S>::packet;
          const auto found = products<S, true, T>(m, n, k, gap, accumulate);
          CHECK(found == products<S, false, T>(m, n, k, gap, accumulate));
          CHECK(std::ranges::count(found, found[0]) < n);
        }
}

template <int Rows, int Count>
void check_int8(Index size) {
  CAPTURE(Rows, Count, size);
  std::vector<std::int8_t> x(std::size_t(Rows * size)), w(std::size_t(Count * size));
  std::mt19937 random;
  std::uniform_int_distribution<int> number(-127, 127);
  for (auto& q : x) q = static_cast<std::int8_t>(number(random));
  for (auto& q : w) q = static_cast<std::int8_t>(number(random));
  std::vector<std::int32_t> plain(std::size_t(Rows * Count)), sums(eigen::Int8Dots::rows * 4);
  for (Index r = 0; r < Rows; ++r)
    for (Index i = 0; i < Count; ++i)
      for (Index k = 0; k < size; ++k) {
        const std::int8_t q = x[std::size_t(r * size + k)];  // where offset is 128, the bits of an unsigned number
        plain[std::size_t(r * Count + i)] +=
            (eigen::Int8Dots::offset != 0 ? int{static_cast<std::uint8_t>(q)} : int{q}) * w[std::size_t(i * size + k)];
      }
  eigen::Int8Dots::sum<Rows, Count, true>(x.data(), w.data(), size, sums.data());
  CHECK(std::equal(plain.begin(), plain.end(), sums.begin()));
  eigen::Int8Dots::sum<Rows, Count, false>(x.data(), w.data(), size, sums.data());
  CHECK(std::equal(plain.begin(), plain.end(), sums.begin()));
}

}  // namespace

TEST_CASE("few rows of floats: both orders of reading give the same bits", "[backend]") {
  check_both_orders<float, float>();
  check_both_orders<double, double>();
  check_both_orders<eigen::Bfloat16Pairs, float>();
}

TEST_CASE("few rows of int8: both orders of reading give the plain sums", "[backend]") {
  constexpr int rows = eigen::Int8Dots::rows;
  for (const Index size : {0, 64, 192, 512, 1408}) {
    check_int8<1, 1>(size);
    check_int8<1, 4>(size);
    check_int8<1, 4 * rows>(size);
    check_int8<2, 4>(size);
    check_int8<rows, 4>(size);
  }
}
