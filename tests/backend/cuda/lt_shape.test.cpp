#include <stlm/backend/cuda/lt_shape.hpp>

#include "support/catch.hpp"

using namespace stlm;
using gpu::LtFactors;
using gpu::LtShape;

TEST_CASE("LtShape: of matrices and options", "[backend][cuda]") {
  alignas(32) float a[64] = {}, b[64] = {}, c[64] = {};
  const LtShape shape = LtShape::of<float, float>({a, 4, 3, 5}, {b, 2, 4, 4}, {c, 3, 2, 6}, {true, true, true}, false);
  CHECK(shape.str() == "float 3x2x4 tt strides 5 4 6 align 16 16 16 +=");
  CHECK(shape.bytes_of_c() == 3 * 6 * 4);
  CHECK(LtShape::of<float, float>({a + 1, 3, 4, 4}, {b + 2, 4, 2, 2}, {c + 3, 3, 2, 2}, {}, true).str() ==
        "tf32 3x2x4 nn strides 4 2 2 align 4 8 4 =");
}

TEST_CASE("LtShape: TF32 concerns floats alone", "[backend][cuda]") {
  alignas(32) Bfloat16 a[16], b[16];
  float c[16];
  const LtShape shape = LtShape::of<Bfloat16, float>({a + 1, 2, 2, 2}, {b, 2, 2, 2}, {c, 2, 2, 2}, {}, true);
  CHECK(shape.factors == LtFactors::kBfloat16);
  CHECK(shape.align_a == 2);
}

TEST_CASE("LtShape: a product of Bfloat16 may be Bfloat16 itself, and is another one then", "[backend][cuda]") {
  alignas(32) Bfloat16 a[16], b[16], c[16];
  const LtShape shape = LtShape::of<Bfloat16, Bfloat16>({a, 2, 8, 8}, {b, 8, 2, 2}, {c, 2, 2, 8}, {}, false);
  CHECK(shape.str() == "bfloat16 2x2x8 nn strides 8 2 8 align 16 16 16 = rounded");
  CHECK(shape.bytes_of_c() == 2 * 8 * 2);
  LtShape other = shape;
  other.rounds = false;
  CHECK(shape != other);
}

TEST_CASE("LtShape: a batch is aligned as its least aligned matrix", "[backend][cuda]") {
  alignas(32) float a[64] = {}, b[64] = {}, c[64] = {};
  const LtShape shape = LtShape::of<float, float>({a, 2, 2, 2}, {b, 2, 2, 2}, {c, 2, 2, 2}, {}, false, {3, 4, 6, 5});
  CHECK(shape.str() == "float 2x2x2 nn strides 2 2 2 align 16 8 4 = batch of 3 steps 4 6 5");
  CHECK(shape.bytes_of_c() == (2 * 5 + 2 * 2) * 4);
  CHECK(shape != LtShape::of<float, float>({a, 2, 2, 2}, {b, 2, 2, 2}, {c, 2, 2, 2}, {}, false));
}

TEST_CASE("LtShape: an order for maps, in which every field counts", "[backend][cuda]") {
  const LtShape one;
  LtShape other = one;
  CHECK(one == other);
  other.align_c = 4;
  CHECK((other < one) != (one < other));
  other = one;
  other.accumulate = true;
  CHECK(one < other);
}
