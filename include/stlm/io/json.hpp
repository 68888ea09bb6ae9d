// JsonReader: reads JSON (RFC 8259) as far as file headers and lines of text need it: objects, strings, arrays, integers from
// 0 to 2^64 - 1; any other value can be skipped. No tree is built: the caller asks for the value that must come next, so
// values nest no deeper than the caller's code.
//
//   JsonReader json(text, "stlm::SafetensorsFile: \"a.safetensors\": header");
//   json.object([&](const std::string& key) { shapes[key] = json.integers(); });
//   json.end();
//
// Throws FileError if the next value is not the one asked for, the text is not UTF-8, or an object has a key twice.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <stlm/io/detail/json_text.hpp>

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

class JsonReader : public detail::JsonText {
 public:
  using JsonText::JsonText;

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

  std::vector<std::string> strings() {
    std::vector<std::string> values;
    sequence('[', ']', [&] { values.push_back(string()); });
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

  /// Skips a value of any kind, nested at most `depth` deep. The syntax of numbers is not checked.
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

 private:
  template <class F>
  void sequence(char open, char close, F&& item) {
    if (!accept(open)) expected(std::string{'\'', open, '\''});
    if (accept(close)) return;
    do item();
    while (accept(','));
    if (!accept(close)) expected(std::string{'\'', close, '\''} + " or ','");
  }
};

}  // namespace stlm
