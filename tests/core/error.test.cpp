#include <stlm/core/error.hpp>

#include "support/catch.hpp"

using namespace stlm;

static_assert(std::is_base_of_v<std::runtime_error, Error>);
static_assert(std::is_base_of_v<Error, ShapeError> && std::is_base_of_v<Error, FileError> &&
              std::is_base_of_v<Error, NumericError>);

namespace {

struct Counted {
  int* prints;
  friend std::ostream& operator<<(std::ostream& out, const Counted& counted) {
    ++*counted.prints;
    return out << "counted";
  }
};

}  // namespace

TEST_CASE("fail: joins its parts into one sentence", "[core][error]") {
  CHECK_THROWS_WITH(fail<FileError>("stlm::x: expected ", 3, ", found ", 4.5, "."), "stlm::x: expected 3, found 4.5.");
  CHECK_THROWS_AS(fail<FileError>("x"), FileError);
  CHECK_THROWS_AS(fail("x"), Error);
}

TEST_CASE("expect: throws only when the condition fails, and prints only then", "[core][error]") {
  int prints = 0;
  CHECK_NOTHROW(expect(true, Counted{&prints}));
  CHECK(prints == 0);
  CHECK_THROWS_AS(expect(false, Counted{&prints}), ShapeError);
  CHECK(prints == 1);
  CHECK_THROWS_AS(expect<NumericError>(false, "x"), NumericError);
}
