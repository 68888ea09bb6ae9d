#include <stlm/io/json.hpp>

#include <map>

#include "support/catch.hpp"
#include "temporary_folder.hpp"

using stlm::FileError;
using stlm::JsonReader;
using Integers = std::vector<std::uint64_t>;

namespace {

std::string parse_string(std::string_view text) {
  JsonReader json(text, "test");
  const std::string value = json.string();
  json.end();
  return value;
}

Integers parse_integers(std::string_view text) {
  JsonReader json(text, "test");
  const Integers values = json.integers();
  json.end();
  return values;
}

std::map<std::string, Integers> parse_object(std::string_view text) {
  JsonReader json(text, "test");
  std::map<std::string, Integers> members;
  json.object([&](const std::string& key) { members[key] = json.integers(); });
  json.end();
  return members;
}

}  // namespace

TEST_CASE("JsonReader: strings and their escapes", "[io][json]") {
  CHECK(parse_string(R"("")") == "");
  CHECK(parse_string(R"(  "layers.0.weight"  )") == "layers.0.weight");
  CHECK(parse_string(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(parse_string(R"("\u0041\u00e9\u20AC\ud83D\uDe00")") == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(parse_string(R"("a\u0000b")") == std::string("a\0b", 3));
  CHECK(parse_string("\"h\xc3\xa9llo\"") == "h\xc3\xa9llo");
}

TEST_CASE("JsonReader: refuses strings that JSON refuses", "[io][json]") {
  const char* const text = GENERATE("", "\"", "\"abc", "abc", "\"\\\"", "\"\\", "\"\\x41\"", "\"\\u12\"", "\"\\u12",
                                    "\"\\u", "\"\\u 123\"", "\"\\u+123\"", "\"\\u0x1f\"", "\"\\uD83D\"",
                                    "\"\\uD83Dabc\"", "\"\\uD83D\\n\"", "\"\\uD83D\\u0041\"", "\"\\uDE00\"", "\"a\nb\"",
                                    "\"\x80\"", "\"\xed\xa0\x80\"", "\"a\" \"b\"", "'a'", "7", "\xef\xbb\xbf\"a\"");
  CAPTURE(text);
  CHECK_THROWS_AS(parse_string(text), FileError);
  CHECK_THROWS_AS(parse_string(std::string_view("\"a\0\"", 4)), FileError);
}

TEST_CASE("JsonReader: lists of strings", "[io][json]") {
  const auto parse = [](std::string_view text) {
    JsonReader json(text, "text");
    const auto values = json.strings();
    json.end();
    return values;
  };
  CHECK(parse("[]").empty());
  CHECK(parse(R"([ "a", "\u00e4" ])") == std::vector<std::string>{"a", "\xc3\xa4"});
  for (const char* bad : {"", "\"a\"", "[1]", "[\"a\" \"b\"]", "[\"a\",]", "[\"a\"]]"}) CHECK_THROWS_AS(parse(bad), FileError);
}

TEST_CASE("JsonReader: integers up to 2^64 - 1, and nothing else", "[io][json]") {
  CHECK(parse_integers("[]") == Integers{});
  CHECK(parse_integers(" [ 0 ,\t12,\r\n345 ] ") == Integers{0, 12, 345});
  CHECK(parse_integers("[18446744073709551615]") == Integers{~std::uint64_t{0}});
  const char* const text = GENERATE("", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[-1]", "[-0]", "[+1]", "[01]",
                                    "[00]", "[1.0]", "[1e3]", "[18446744073709551616]", "[99999999999999999999999]",
                                    "[0x10]", "[null]", "[true]", "[[1]]", "[\"1\"]", "{}", "[1]]", "1");
  CAPTURE(text);
  CHECK_THROWS_AS(parse_integers(text), FileError);
}

TEST_CASE("JsonReader: objects", "[io][json]") {
  CHECK(parse_object("{}").empty());
  CHECK(parse_object(R"( { "a" : [ 1 ] , "b":[2,3] } )") == std::map<std::string, Integers>{{"a", {1}}, {"b", {2, 3}}});
  const char* const text = GENERATE("", "{", "{\"a\"", "{\"a\":", "{\"a\":[1]", "{\"a\":[1],", "{\"a\":[1],}", "{,}",
                                    "{\"a\" [1]}", "{a:[1]}", "{\"a\":[1]\"b\":[2]}", "{\"a\":{}}", "{} {}", "[]");
  CAPTURE(text);
  CHECK_THROWS_AS(parse_object(text), FileError);
}

TEST_CASE("JsonReader: a key that comes twice is refused, however it is spelt", "[io][json]") {
  const std::string error = error_of<FileError>([] { parse_object(R"({"a":[1],"b":[],"\u0061":[2]})"); });
  CHECK(error == "test: expected a key other than \"a\", which has come before, at byte 16, found '\"\\u0061\":[2]}'" +
                     std::string(JsonReader::damaged));
}

TEST_CASE("JsonReader: errors say where, what was expected and what was found", "[io][json]") {
  const std::string damaged = JsonReader::damaged;
  CHECK(error_of<FileError>([] { parse_integers("[12 x]"); }) ==
        "test: expected ']' or ',' at byte 4, found 'x]'" + damaged);
  CHECK(error_of<FileError>([] { parse_integers("[12"); }) ==
        "test: expected ']' or ',' at byte 3, found the end of the text" + damaged);
  CHECK(error_of<FileError>([] { parse_string("\"a\x01\""); }) ==
        "test: expected '\"' at the end of a string at byte 2, found no printable character" + damaged);
  CHECK(error_of<FileError>([] { parse_string("\"a\" \xff"); }) ==
        "test: expected UTF-8 at byte 4, found no printable character" + damaged);
  CHECK(error_of<FileError>([] {
          JsonReader json("{}", "first");
          CHECK(json.where("second") == "first");
          json.integer();
        }) == "second: expected an integer from 0 to 2^64 - 1 at byte 0, found '{}'" + damaged);
}

TEST_CASE("JsonReader: reads no byte past the end of its text", "[io][json]") {
  const std::string text = R"({"a":[1,23],"b\u00e9\ud83d\ude00":[4]})";
  REQUIRE(parse_object(text).size() == 2);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));  // for sanitizers
    CHECK_THROWS_AS(parse_object({exact.data(), exact.size()}), FileError);
  }
}

TEST_CASE("JsonReader: passes over any value", "[io][json]") {
  const auto skipped = [](std::string_view text) {
    return error_of<FileError>([&] {
      JsonReader json(text, "test");
      json.skip();
      json.end();
    });
  };
  for (const char* text : {"null", " true ", "false", "-1.5e-3", "0", "\"a\\n\"", "[]", "{}", R"([1,{"a":[null,-2.5]},"]"])"})
    CHECK(skipped(text).empty());
  const std::string damaged = JsonReader::damaged;
  CHECK(skipped("nul") == "test: expected a value at byte 0, found 'nul'" + damaged);
  CHECK(skipped("") == "test: expected a value at byte 0, found the end of the text" + damaged);
  CHECK(skipped("[1,]") == "test: expected a value at byte 3, found ']'" + damaged);
  CHECK(skipped("1 2") == "test: expected nothing more at byte 2, found '2'" + damaged);
  CHECK(skipped(std::string(63, '[') + std::string(63, ']')).empty());
  CHECK(skipped(std::string(100, '[')).starts_with("test: expected no deeper nesting at byte 64"));
}

TEST_CASE("json_quote: is read back as it was", "[io][json]") {
  std::string text = "h\xc3\xa9llo \xf0\x9f\x98\x80";
  for (char c = 0; c < 127; ++c) text += c;
  CHECK(parse_string(stlm::json_quote(text)) == text);
  CHECK(stlm::json_quote("a\"b\\c\n\x1f") == R"("a\"b\\c\u000a\u001f")");
}
