// Reads the files in golden/, which make_goldens.py makes. A line has parts separated by ':'; a part holds bytes in
// hexadecimal, or numbers separated by spaces.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"

/// Calls `line(parts)` for each line of golden/NAME; there must be `count` of them.
template <class F>
void for_each_golden(const std::string& name, int count, F&& line) {
  std::ifstream file(STLM_GOLDEN_DIR "/../tokenizer/golden/" + name);
  for (std::string text; std::getline(file, text); --count) {
    std::istringstream stream(text);
    std::vector<std::string> parts;
    for (std::string part; std::getline(stream, part, ':');) parts.push_back(part);
    INFO(text);
    line(parts);
  }
  CHECK(count == 0);
}

inline std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

template <class Number>
std::vector<Number> numbers(const std::string& text) {
  std::istringstream stream(text);
  std::vector<Number> values;
  for (Number value; stream >> value;) values.push_back(value);
  return values;
}
