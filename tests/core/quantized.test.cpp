#include <stlm/core/quantized.hpp>

#include "support/catch.hpp"

using namespace stlm;

static_assert(QuantizedMatrix::padded(1) == 64 && QuantizedMatrix::padded(64) == 64 && QuantizedMatrix::padded(65) == 128);
static_assert(QuantizedView<3, 65>::padded_size == 3 * 128);
static_assert(std::is_same_v<Matrix<float, 3, 5>, View<float, 3, 5>> && std::is_same_v<Matrix<Int8, 3, 5>, QuantizedView<3, 5>>);
static_assert(std::is_same_v<compute_t<Int8>, float>);

TEST_CASE("QuantizedView: rows begin at multiples of 64 bytes", "[core][quantized]") {
  QuantizedView<3, 65> view;
  CHECK(!view);
  std::int8_t bytes[3 * 128];
  view.data = bytes;
  CHECK(view.extent(0) == 3);
  CHECK(view.extent(1) == 65);
  CHECK(view.row(2) == bytes + 256);
}
