#include <stlm/core/bfloat16.hpp>

#include <bit>
#include <cmath>
#include <limits>

#include <stlm/backend/cuda/gpu_backend.hpp>

#include "support/catch.hpp"

using namespace stlm;

static_assert(std::is_same_v<compute_t<Bfloat16>, float> && std::is_same_v<compute_t<double>, double>);
static_assert(std::is_same_v<activation_t<EigenBackend, Bfloat16>, float>);
static_assert(std::is_same_v<activation_t<CudaBackend, Bfloat16>, Bfloat16>);
static_assert(std::is_same_v<activation_t<CudaBackend, float>, float>);
static_assert(std::is_same_v<Vector<Bfloat16, 4>, View<float, 4>>);
static_assert(sizeof(Bfloat16) == 2 && std::is_trivially_copyable_v<Bfloat16>);

namespace {
constexpr float rounded(float x) { return Bfloat16(x); }
}  // namespace

static_assert(rounded(1.0F) == 1.0F && rounded(-3.5F) == -3.5F);

TEST_CASE("Bfloat16: rounds to the nearest, ties to even", "[core][bfloat16]") {
  constexpr float ulp = 0x1p-7F;  // spacing of Bfloat16 above 1
  CHECK(rounded(1 + 0.49F * ulp) == 1);
  CHECK(rounded(1 + 0.51F * ulp) == 1 + ulp);
  CHECK(rounded(1 + 0.5F * ulp) == 1);
  CHECK(rounded(1 + 1.5F * ulp) == 1 + 2 * ulp);
  CHECK(rounded(-1 - 1.5F * ulp) == -1 - 2 * ulp);
  CHECK(rounded(2 - 0.25F * ulp) == 2);
}

TEST_CASE("Bfloat16: infinities, NaN, and numbers too small", "[core][bfloat16]") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(rounded(infinity) == infinity);
  CHECK(rounded(-std::numeric_limits<float>::max()) == -infinity);
  CHECK(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
  CHECK(std::isnan(rounded(std::bit_cast<float>(0x7f800001U))));  // a NaN whose only mantissa bit is in the lower half
  CHECK(rounded(std::numeric_limits<float>::min()) == std::numeric_limits<float>::min());
  CHECK(Bfloat16(std::numeric_limits<float>::denorm_min()).bits == 0);
  CHECK(Bfloat16(-0x1p-127F).bits == 0x8000);
  CHECK(Bfloat16(-0.0F).bits == 0x8000);
}

TEST_CASE("Bfloat16: every value survives the way through float", "[core][bfloat16]") {
  int changed = 0;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto float_bits = bits << 16;
    const float x = std::bit_cast<float>(float_bits);
    const bool normal = std::isnormal(x) || x == 0 || std::isinf(x);
    changed += normal && Bfloat16(x).bits != bits;
  }
  CHECK(changed == 0);
}
