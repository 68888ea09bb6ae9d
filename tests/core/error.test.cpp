#include <stlm/core/error.hpp>

#include "support/catch.hpp"

using namespace stlm;

static_assert(std::is_base_of_v<std::runtime_error, Error>);
static_assert(std::is_base_of_v<Error, ShapeError> && std::is_base_of_v<Error, FileError> &&
              std::is_base_of_v<Error, NumericError>);

namespace {

struct Counted {  // a text that counts how often it is converted
  int* reads;
  operator const char*() const {
    ++*reads;
    return "counted";
  }
};

}  // namespace

TEST_CASE("fail: joins its parts into one sentence", "[core][error]") {
  CHECK_THROWS_WITH(fail<FileError>("stlm::x: expected ", 3, ", found ", 4.5, "."), "stlm::x: expected 3, found 4.5.");
  CHECK_THROWS_WITH(fail(-7, " ", ~std::uint64_t{0}, " ", std::string("text"), " ", std::string_view("view")),
                    "-7 18446744073709551615 text view");
  CHECK_THROWS_AS(fail<FileError>("x"), FileError);
  CHECK_THROWS_AS(fail("x"), Error);
}

TEST_CASE("fail: numbers look the same in every locale", "[core][error]") {
  struct Grouped : std::numpunct<char> {
    std::string do_grouping() const override { return "\3"; }
    char do_decimal_point() const override { return ','; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Grouped));
  CHECK_THROWS_WITH(fail(1234567, " and ", 0.5), "1234567 and 0.5");
  std::locale::global(before);
}

TEST_CASE("expect: throws only when the condition fails, and reads its parts only then", "[core][error]") {
  int reads = 0;
  CHECK_NOTHROW(expect(true, Counted{&reads}));
  CHECK(reads == 0);
  CHECK_THROWS_AS(expect(false, Counted{&reads}), ShapeError);
  CHECK(reads == 1);
  CHECK_THROWS_AS(expect<NumericError>(false, "x"), NumericError);
}
