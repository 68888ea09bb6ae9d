#include <stlm/io/tensor_entry.hpp>

#include "support/catch.hpp"

using stlm::Dtype;
using stlm::TensorEntry;

TEST_CASE("Dtype: the table stands in the order of the enumeration", "[io][tensor_entry]") {
  STATIC_REQUIRE(std::size(stlm::dtype_infos) == static_cast<std::size_t>(Dtype::kF4) + 1);
  const auto is = [](Dtype dtype, std::string_view name, std::uint64_t bits) {
    return stlm::info(dtype).name == name && stlm::info(dtype).bits == bits;
  };
  CHECK(is(Dtype::kF64, "F64", 64));
  CHECK(is(Dtype::kI64, "I64", 64));
  CHECK(is(Dtype::kU64, "U64", 64));
  CHECK(is(Dtype::kC64, "C64", 64));
  CHECK(is(Dtype::kF32, "F32", 32));
  CHECK(is(Dtype::kI32, "I32", 32));
  CHECK(is(Dtype::kU32, "U32", 32));
  CHECK(is(Dtype::kF16, "F16", 16));
  CHECK(is(Dtype::kBF16, "BF16", 16));
  CHECK(is(Dtype::kI16, "I16", 16));
  CHECK(is(Dtype::kU16, "U16", 16));
  CHECK(is(Dtype::kBool, "BOOL", 8));
  CHECK(is(Dtype::kU8, "U8", 8));
  CHECK(is(Dtype::kI8, "I8", 8));
  CHECK(is(Dtype::kF8E5M2, "F8_E5M2", 8));
  CHECK(is(Dtype::kF8E4M3, "F8_E4M3", 8));
  CHECK(is(Dtype::kF8E8M0, "F8_E8M0", 8));
  CHECK(is(Dtype::kF8E5M2FNUZ, "F8_E5M2FNUZ", 8));
  CHECK(is(Dtype::kF8E4M3FNUZ, "F8_E4M3FNUZ", 8));
  CHECK(is(Dtype::kF6E3M2, "F6_E3M2", 6));
  CHECK(is(Dtype::kF6E2M3, "F6_E2M3", 6));
  CHECK(is(Dtype::kF4, "F4", 4));
}

TEST_CASE("TensorEntry: expected_bytes counts, or finds that it cannot", "[io][tensor_entry]") {
  const auto bytes = [](Dtype dtype, std::vector<stlm::Index> shape) {
    return TensorEntry{"", dtype, std::move(shape), {}}.expected_bytes();
  };
  CHECK(bytes(Dtype::kF32, {}) == 4u);
  CHECK(bytes(Dtype::kF64, {2, 3, 5}) == 240u);
  CHECK(bytes(Dtype::kBool, {7}) == 7u);
  CHECK(bytes(Dtype::kF32, {3, 0, 5}) == 0u);
  CHECK(bytes(Dtype::kF4, {3, 2}) == 3u);
  CHECK(bytes(Dtype::kF6E2M3, {4}) == 3u);
  CHECK(bytes(Dtype::kU8, {(stlm::Index{1} << 60) - 1}) == (std::size_t{1} << 60) - 1);
  CHECK_FALSE(bytes(Dtype::kF4, {3}));
  CHECK_FALSE(bytes(Dtype::kF32, {-1}));
  CHECK_FALSE(bytes(Dtype::kU8, {stlm::Index{1} << 60}));
  CHECK_FALSE(bytes(Dtype::kF32, {stlm::Index{1} << 32, stlm::Index{1} << 32}));
  CHECK_FALSE(bytes(Dtype::kU8, {stlm::Index{1} << 40, stlm::Index{1} << 40, 0}));
}

TEST_CASE("TensorEntry: type and shape as text", "[io][tensor_entry]") {
  CHECK(TensorEntry{"", Dtype::kBF16, {}, {}}.type() == "BF16 []");
  CHECK(TensorEntry{"", Dtype::kF32, {128}, {}}.type() == "F32 [128]");
  CHECK(TensorEntry{"", Dtype::kI64, {2, 0, 31}, {}}.type() == "I64 [2, 0, 31]");
}
