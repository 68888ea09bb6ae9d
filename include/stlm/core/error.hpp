// Errors: every message begins with the qualified name, says what was expected and what was found, and what to do.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace stlm {

/// Base of everything stlm throws.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ShapeError : Error {  ///< run-time extents that do not fit together
  using Error::Error;
};
struct FileError : Error {  ///< a file that is missing, truncated, corrupt or of another model
  using Error::Error;
};
struct NumericError : Error {  ///< a loss, gradient or logit that is not finite
  using Error::Error;
};

/// Throws `Exception` with all arguments joined into one sentence.
template <class Exception = Error, class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw Exception(text.str());
}

/// Throws `Exception` unless `condition` holds. The sentence is only built on failure.
template <class Exception = ShapeError, class... Parts>
void expect(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail<Exception>(parts...);
}

/// For primary templates: false, but only once a specialisation has been looked for.
template <class...>
inline constexpr bool dependent_false = false;

}  // namespace stlm
