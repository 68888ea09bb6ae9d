#include <stlm/data/choices.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace stlm;

namespace {

std::vector<Choice> read(const std::string& text) {
  const TemporaryFolder folder;
  write_text(folder / "choices.jsonl", text);
  return read_choices(folder / "choices.jsonl");
}
std::string error(const std::string& text) {
  const std::string found = error_of<FileError>([&] { read(text); });
  const std::size_t at = found.find("choices.jsonl\"");
  REQUIRE(found.starts_with("stlm::read_choices: \""));
  REQUIRE(at != found.npos);
  return found.substr(at + 14);
}

}  // namespace

TEST_CASE("read_choices: a prefix and options, the right one first", "[data][choices]") {
  const auto choices = read(R"({"prefix": "2 + 2 =", "options": [" 4", " 5"], "id": 7})" "\n\n"
                            R"({"options": ["a", "b", "c"], "answer": 2, "source": {"x": [1, null]}})" "\r\n");
  REQUIRE(choices.size() == 2);
  CHECK(choices[0].prefix == "2 + 2 =");
  CHECK(choices[0].options == std::vector<std::string>{" 4", " 5"});
  CHECK(choices[1].prefix.empty());
  CHECK(choices[1].options == std::vector<std::string>{"c", "b", "a"});
}

TEST_CASE("read_choices: minimal pairs", "[data][choices]") {
  const auto choices = read(R"({"sentence_bad": "He sees herself.", "sentence_good": "He sees himself.", "UID": "x", "ok": true})");
  REQUIRE(choices.size() == 1);
  CHECK(choices[0].options == std::vector<std::string>{"He sees himself.", "He sees herself."});
}

TEST_CASE("read_choices: other lines are refused by their number", "[data][choices]") {
  const std::string good = R"({"options": ["a", "b"]})" "\n";
  const std::string expected = " line 2: expected \"options\", at least two and none empty, or \"sentence_good\" and "
                               "\"sentence_bad\", found ";
  CHECK(error(good + "{}") == expected + "0 options; correct the line or leave it out.");
  CHECK(error(good + R"({"options": ["a"]})") == expected + "1 options; correct the line or leave it out.");
  CHECK(error(good + R"({"options": ["a", ""]})") == expected + "2 options; correct the line or leave it out.");
  CHECK(error(good + R"({"sentence_good": "a"})") == expected + "0 options; correct the line or leave it out.");
  CHECK(error(good + R"({"options": ["a", "b"], "answer": 2})") ==
        " line 2: expected the \"answer\" to be one of 2 options, counted from 0, found 2; correct the line or leave it out.");
  for (const char* bad : {"[]", "{", R"({"options": "a"})", R"({"options": [1, 2]})", R"({"options": ["a", "b"]} x)",
                          R"({"options": ["a", "b"], "answer": -1})", R"({"options": ["a", "b"], "prefix": 1})"})
    CHECK(error(good + bad).starts_with(" line 2"));
  CHECK(error("\n").starts_with(" is empty"));
  CHECK_THROWS_AS(read_choices("no such file"), FileError);
}
