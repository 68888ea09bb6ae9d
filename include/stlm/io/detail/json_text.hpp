// JsonText: the text of a JsonReader and the place in it: reads characters and strings, and reports errors.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <stlm/core/error.hpp>
#include <stlm/io/utf8.hpp>

namespace stlm::detail {

class JsonText {
 public:
  /// Ends every error.
  static constexpr const char* damaged = "; the file is damaged or of another format: save or fetch it again.";

  /// `where` begins every error.
  JsonText(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {
    at_ = utf8_prefix(text);
    if (at_ < text.size()) expected("UTF-8");
    at_ = 0;
  }

  /// Changes what errors begin with; returns what they began with before.
  std::string where(std::string name) { return std::exchange(where_, std::move(name)); }

  std::string string() {
    if (!accept('"')) expected("a string");
    std::string out;
    while (peek() != '"') {
      if (at_ == text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) expected("'\"' at the end of a string");
      const char c = text_[at_++];
      if (c == '\\')
        escape(out);
      else
        out += c;
    }
    ++at_;
    return out;
  }

  /// Nothing but white space may remain.
  void end() {
    space();
    if (at_ < text_.size()) expected("nothing more");
  }

  /// Reports that the text at the current place is not `what`.
  [[noreturn]] void expected(std::string_view what) const {
    std::string found;
    for (std::size_t i = at_; i < text_.size() && found.size() < 24 && text_[i] >= ' ' && text_[i] <= '~'; ++i)
      found += text_[i];
    if (!found.empty()) found = "'" + found + "'";
    if (found.empty()) found = at_ == text_.size() ? "the end of the text" : "no printable character";
    fail<FileError>(where_, ": expected ", what, " at byte ", at_, ", found ", found, damaged);
  }

 protected:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  bool accept(char c) {
    space();
    const bool found = peek() == c;
    at_ += found;
    return found;
  }

  std::string_view text_;
  std::size_t at_ = 0;

 private:
  void escape(std::string& out) {
    constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    const std::size_t index = names.find(peek());
    if (peek() != 'u' && index == names.npos) expected("one of \"\\/bfnrtu after '\\'");
    ++at_;
    if (index == names.npos)
      append_utf8(out, unicode());
    else
      out += values[index];
  }

  /// Reads XXXX of \uXXXX; for characters above U+FFFF also the \uXXXX that must follow.
  std::uint32_t unicode() {
    const std::uint32_t high = hex4();
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      if (const std::uint32_t low = hex4(); low >= 0xDC00 && low <= 0xDFFF)
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    expected("a pair of surrogates");
  }
  std::uint32_t hex4() {
    const std::string_view digits = text_.substr(at_, 4);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc{} || digits.size() < 4 || end != digits.data() + 4) expected("four hexadecimal digits");
    at_ += 4;
    return value;
  }

  std::string where_;
};

}  // namespace stlm::detail
