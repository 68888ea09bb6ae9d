// Errors: every message begins with the qualified name and says what was expected, what was found, and what to do.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

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

namespace detail {

/// A piece of a sentence: text or a number. Keeps the code of a check small, as there are hundreds of checks.
class Part {
 public:
  Part(std::string_view text) : text_(text) {}
  Part(const char* text) : text_(text) {}
  Part(const std::string& text) : text_(text) {}
  Part(double number) : number_(number), kind_(Kind::kReal) {}
  template <std::integral T>
  Part(T number) : kind_(std::is_signed_v<T> ? Kind::kSigned : Kind::kUnsigned), bits_(static_cast<std::uint64_t>(number)) {}

  friend std::ostream& operator<<(std::ostream& out, const Part& part) {
    switch (part.kind_) {
      case Kind::kSigned: return out << static_cast<std::int64_t>(part.bits_);
      case Kind::kUnsigned: return out << part.bits_;
      case Kind::kReal: return out << part.number_;
      default: return out << part.text_;
    }
  }

 private:
  enum class Kind { kText, kSigned, kUnsigned, kReal };
  std::string_view text_;
  double number_ = 0;
  Kind kind_ = Kind::kText;
  std::uint64_t bits_ = 0;
};

template <class Exception>
[[noreturn, gnu::cold, gnu::noinline]] void raise(std::initializer_list<Part> parts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  for (const Part& part : parts) text << part;
  throw Exception(text.str());
}

}  // namespace detail

/// Throws `Exception` with all arguments, texts and numbers, joined into one sentence.
template <class Exception = Error, class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  detail::raise<Exception>({detail::Part(parts)...});
}

/// Throws `Exception` unless `condition` holds. The sentence is only built on failure.
template <class Exception = ShapeError, class... Parts>
constexpr void expect(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    detail::raise<Exception>({detail::Part(parts)...});
}

/// False, but only once a template is instantiated: for static_assert in primary templates, where no specialisation fits.
template <class...>
inline constexpr bool dependent_false = false;

}  // namespace stlm
