// JSON (RFC 8259) as far as file headers and lines of text need it: objects, strings, arrays, integers from 0 to
// 2^64 - 1; any other value can be skipped. No tree is built: the caller asks for the value that must come next, so
// nesting is as deep as its code and no deeper.
//
//   JsonReader json(text, "stlm::SafetensorsFile: \"a.safetensors\": header");
//   json.object([&](const std::string& key) { shapes[key] = json.integers(); });
//   json.end();
//
// Throws FileError where the text is not what was asked for, is not UTF-8, or names a key twice.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stlm/core/error.hpp>
#include <stlm/io/utf8.hpp>

namespace stlm {

/// `text` as a JSON string, quotes included. Expects UTF-8.
inline std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out += {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

class JsonReader {
 public:
  /// Ends every error.
  static constexpr const char* damaged = "; the file is damaged or of another format: save or fetch it again.";

  /// `where` begins every error.
  JsonReader(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {
    at_ = utf8_prefix(text);
    if (at_ < text.size()) expected("UTF-8");
    at_ = 0;
  }

  /// Changes what errors begin with; returns what they began with before.
  std::string where(std::string name) { return std::exchange(where_, std::move(name)); }

  /// Calls `member(key)` for each member; it must read the value.
  template <class F>
  void object(F&& member) {
    std::set<std::string> keys;
    sequence('{', '}', [&] {
      space();
      const std::size_t start = at_;
      const auto [key, is_new] = keys.insert(string());
      if (!is_new) {
        at_ = start;
        expected("a key other than " + json_quote(*key) + ", which has come before,");
      }
      if (!accept(':')) expected("':'");
      member(*key);
    });
  }

  std::vector<std::uint64_t> integers() {
    std::vector<std::uint64_t> values;
    sequence('[', ']', [&] { values.push_back(integer()); });
    return values;
  }

  std::uint64_t integer() {
    space();
    const char *const first = text_.data() + at_, *const last = text_.data() + text_.size();
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(first, last, value);
    if (error != std::errc{} || (*first == '0' && end - first > 1)) expected("an integer from 0 to 2^64 - 1");
    at_ += static_cast<std::size_t>(end - first);
    return value;
  }

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

  /// Passes over a value of any kind, nested `depth` deep at most. The digits of numbers are not looked into.
  void skip(int depth = 64) {
    space();
    if (depth == 0) expected("no deeper nesting");
    const char first = peek();
    if (first == '"') return static_cast<void>(string());
    if (first == '{') return object([&](const std::string&) { skip(depth - 1); });
    if (first == '[') return sequence('[', ']', [&] { skip(depth - 1); });
    for (const std::string_view word : {"true", "false", "null"})
      if (text_.substr(at_, word.size()) == word) return static_cast<void>(at_ += word.size());
    if (first != '-' && (first < '0' || first > '9')) expected("a value");
    at_ = std::min(text_.find_first_not_of("+-.0123456789Ee", at_), text_.size());
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

 private:
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

  template <class F>
  void sequence(char open, char close, F&& item) {
    if (!accept(open)) expected(std::string{'\'', open, '\''});
    if (accept(close)) return;
    do item();
    while (accept(','));
    if (!accept(close)) expected(std::string{'\'', close, '\''} + " or ','");
  }

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

  /// XXXX of \uXXXX; for characters above U+FFFF also the \uXXXX that must follow.
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

  std::string_view text_;
  std::string where_;
  std::size_t at_ = 0;
};

}  // namespace stlm
