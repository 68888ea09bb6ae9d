#include <stlm/core/tensor_view.hpp>

#include <numeric>
#include <vector>

#include "support/catch.hpp"

using namespace stlm;

static_assert(std::is_convertible_v<View<float, 3, 4>, View<const float, dynamic, 4>>);
static_assert(!std::is_convertible_v<View<const float, 3, 4>, View<float, 3, 4>>);  // const stays const
static_assert(!std::is_convertible_v<View<float, 3, 4>, View<double, 3, 4>>);
static_assert(std::is_trivially_copyable_v<View<float, dynamic, 4>>);

TEST_CASE("TensorView: row-major, the last dimension contiguous", "[core][tensor_view]") {
  std::vector<int> numbers(24);
  std::iota(numbers.begin(), numbers.end(), 0);
  const View<int, dynamic, 3, dynamic> view(numbers.data(), 2, 4);
  CHECK(view.size() == 24);
  CHECK(view(0, 0, 0) == 0);
  CHECK(view(0, 0, 1) == 1);
  CHECK(view(0, 1, 0) == 4);
  CHECK(view(1, 0, 0) == 12);
  CHECK(view(1, 2, 3) == 23);
  CHECK(std::accumulate(view.begin(), view.end(), 0) == 276);
  view(1, 2, 3) = -1;
  CHECK(numbers[23] == -1);
}

TEST_CASE("TensorView: is false until it points somewhere", "[core][tensor_view]") {
  int number = 0;
  CHECK_FALSE(View<int, 1>());
  CHECK(View<int, 1>(&number));
}

TEST_CASE("TensorView: a run-time size meets a fixed one", "[core][tensor_view]") {
  float numbers[12] = {};
  const View<float, dynamic, dynamic> any(numbers, 3, 4);
  const View<const float, dynamic, 4> rows = any;
  CHECK(rows.extent(0) == 3);
  CHECK(rows.data() == numbers);
  using Five = View<float, dynamic, 5>;
  CHECK_THROWS_AS(Five(any), ShapeError);
  CHECK_THROWS_WITH(Five(any),
                    "stlm::TensorView: dimension 1 is expected to be 5, found 4; give a view of that size.");
}

TEST_CASE("MatrixView: the last dimension becomes the columns, all others the rows", "[core][tensor_view]") {
  float numbers[24] = {};
  const MatrixView<const float> matrix(View<float, 2, 3, 4>{numbers});
  CHECK(matrix.rows == 6);
  CHECK(matrix.cols == 4);
  CHECK(matrix.stride == 4);
  const MatrixView<float> row(View<float, 24>{numbers});
  CHECK(row.rows == 1);
  CHECK(row.cols == 24);
}

TEST_CASE("MatrixView: rows may be parts of wider rows", "[core][tensor_view]") {
  std::vector<int> numbers(20);
  std::iota(numbers.begin(), numbers.end(), 0);
  const MatrixView<int> part(numbers.data() + 2, 4, 2, 5);
  CHECK(part(0, 0) == 2);
  CHECK(part(3, 1) == 18);
  CHECK(part.row(2)[1] == 13);
  CHECK(part.size() == 8);
  CHECK(MatrixView<const int>(part)(3, 1) == 18);
}
