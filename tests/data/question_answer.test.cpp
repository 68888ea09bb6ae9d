#include <stlm/data/question_answer.hpp>

#include <set>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace stlm;

namespace {

/// The error for a file with this text; "FILE" stands for its name.
std::string error(const std::string& text, const QuestionAnswerFields& fields = {}) {
  const TemporaryFolder folder;
  const std::string path = folder / "pairs.jsonl";
  write_text(path, text);
  std::string found = error_of<FileError>([&] { read_question_answers(path, fields); });
  const std::size_t at = found.find(path);
  return at == std::string::npos ? found : found.replace(at, path.size(), "FILE");
}

const std::string first = R"({"question": "a", "answer": "b"})" "\n";

std::vector<QuestionAnswer> numbered(int count) {
  std::vector<QuestionAnswer> pairs;
  for (int i = 0; i < count; ++i) pairs.push_back({std::string(static_cast<std::size_t>(1 + i * 7 % 4), static_cast<char>('a' + i)),
                                                   std::string(static_cast<std::size_t>(i % 3), static_cast<char>('a' + i)) + "!"});
  return pairs;
}

std::vector<Token> ids(std::string_view text, Index pads) {
  std::vector<Token> tokens = ByteTokenizer::encode(text);
  tokens.push_back(ByteTokenizer::end_of_text);
  tokens.insert(tokens.end(), static_cast<std::size_t>(pads), ByteTokenizer::pad);
  return tokens;
}

/// The question and the answer of each pair of a batch, as text.
std::vector<std::pair<std::string, std::string>> texts(const PairBatch& batch) {
  std::vector<std::pair<std::string, std::string>> result;
  Index question = 0;
  for (Index b = 0; b < batch.lengths.size(); question += batch.lengths(b++)) {
    const auto decode = [](const Token* begin, Index size) { return ByteTokenizer::decode({begin, static_cast<std::size_t>(size)}); };
    result.emplace_back(decode(&batch.questions(question), batch.lengths(b)), decode(&batch.answers(b, 0), batch.answers.extent(1)));
  }
  REQUIRE(question == batch.questions.size());
  return result;
}

}  // namespace

TEST_CASE("read_question_answers: a pair a line, other fields passed over", "[data][question_answer]") {
  const TemporaryFolder folder;
  write_text(folder / "a", first + R"({"id": [1.5e3, {"x": null}], "answer": "\u00e4\n", "ok": true, "question": "Why?"})" + "\r\n");
  const auto pairs = read_question_answers(folder / "a");
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].question == "a");
  CHECK(pairs[1].question == "Why?");
  CHECK(pairs[1].answer == "\xc3\xa4\n");

  write_text(folder / "b", R"({"q": "1", "a": "2", "question": 3})");  // no line break at the end
  CHECK(read_question_answers(folder / "b", {.question = "q", .answer = "a"}).at(0).answer == "2");
}

TEST_CASE("read_question_answers: empty lines are passed over, and counted", "[data][question_answer]") {
  const TemporaryFolder folder;
  write_text(folder / "a", "\n" R"({"question": "a", "answer": "b"})" "\r\n \t\n" R"({"question": "c", "answer": "d"})" "\n\n");
  const auto pairs = read_question_answers(folder / "a");
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[1].question == "c");
  write_text(folder / "b", "\n\n{}\n");
  CHECK(error_of<FileError>([&] { read_question_answers(folder / "b"); }).find("line 3") != std::string::npos);
  CHECK_THROWS_AS(read_question_answers(folder / "a", {.question = "question", .answer = "question"}), Error);
}

TEST_CASE("read_question_answers: errors name file and line", "[data][question_answer]") {
  const std::string at = "stlm::read_question_answers: \"FILE\" line 2: ";
  CHECK(error(first + "nonsense\n") == at + "expected '{' at byte 0, found 'nonsense'" + JsonReader::damaged);
  CHECK(error(first + R"({"question": "a"})") ==
        at + "expected a field \"answer\", found none; add it, or name the fields that the file has.");
  CHECK(error(first, {.question = "prompt"}) == "stlm::read_question_answers: \"FILE\" line 1: expected a field \"prompt\", found "
                                                "none; add it, or name the fields that the file has.");
  CHECK(error(first + R"({"question": "", "answer": "b"})") ==
        at + "the field \"question\" is empty; give it a text or leave the line out.");
  CHECK(error(first + R"({"question": 5, "answer": "b"})") == at + "expected a string at byte 13, found '5, \"answer\": \"b\"}'" + JsonReader::damaged);
  CHECK(error(first + "{\"question\": \"\xff\", \"answer\": \"b\"}").starts_with(at + "expected UTF-8 at byte 14"));
  CHECK(error(first + first.substr(0, 20)).starts_with(at + "expected '\"' at the end of a string at byte 20"));
  CHECK(error(first + R"({"question": "a", "answer": "b"} x)") == at + "expected nothing more at byte 33, found 'x'" + JsonReader::damaged);
  CHECK(error("") == "stlm::read_question_answers: \"FILE\" is empty; give a file of JSON lines.");
  CHECK(error_of<FileError>([] { read_question_answers("/nowhere/at-all"); }).find("/nowhere/at-all") != std::string::npos);
}

TEST_CASE("QuestionAnswerLoader: questions in a row by length, answers ended and padded", "[data][question_answer]") {
  const std::vector<QuestionAnswer> pairs = {{"abc", "x"}, {"d", "yz!"}, {"ef", "w"}};
  QuestionAnswerLoader loader(pairs, {3, 4});
  const PairBatch batch = loader.next();
  CHECK(std::vector<Token>(batch.questions.begin(), batch.questions.end()) == ByteTokenizer::encode("defabc"));
  CHECK(std::vector<Index>(batch.lengths.begin(), batch.lengths.end()) == std::vector<Index>{1, 2, 3});
  std::vector<Token> expected;
  for (const auto& answer : {ids("yz!", 0), ids("w", 2), ids("x", 2)}) expected.insert(expected.end(), answer.begin(), answer.end());
  CHECK(batch.answers.extent(0) == 3);
  CHECK(batch.answers.extent(1) == 4);
  CHECK(std::vector<Token>(batch.answers.begin(), batch.answers.end()) == expected);
}

TEST_CASE("QuestionAnswerLoader: every pair once an epoch, in an order of its own", "[data][question_answer]") {
  QuestionAnswerLoader loader(numbered(12), {4, 5}, 3);
  std::vector<std::vector<std::pair<std::string, std::string>>> epochs(2);
  for (auto& epoch : epochs)
    for (int i = 0; i < 3; ++i)
      for (const auto& pair : texts(loader.next())) epoch.push_back(pair);
  for (const auto& epoch : epochs) {
    std::set<std::string> questions;
    for (const auto& [question, answer] : epoch) {
      questions.insert(question);
      CHECK((answer == "!" || answer[0] == question[0]));
    }
    CHECK(questions.size() == 12);
  }
  CHECK(epochs[0] != epochs[1]);
}

TEST_CASE("QuestionAnswerLoader: continues anywhere, and its seed decides", "[data][question_answer]") {
  QuestionAnswerLoader loader(numbered(10), {4, 5}, 3), second(numbered(10), {4, 5}, 3), other(numbered(10), {4, 5}, 4);
  loader.next();
  loader.next();
  second.seek(loader.position());
  bool differs = false;
  for (int i = 0; i < 5; ++i) {
    const auto expected = texts(loader.next());
    CHECK(texts(second.next()) == expected);
    differs = differs || texts(other.next()) != expected;
  }
  CHECK(differs);
}

TEST_CASE("QuestionAnswerLoader: refuses pairs that do not fit", "[data][question_answer]") {
  const auto refuse = [](std::vector<QuestionAnswer> pairs) {
    CHECK_THROWS_AS(QuestionAnswerLoader(pairs, {-1, 4}), ShapeError);
    return error_of<Error>([&] { QuestionAnswerLoader(pairs, {1, 4}); });
  };
  CHECK(refuse({{"abcd", "abc"}}).empty());
  CHECK(refuse({{"a", "b"}, {"abc", "abcd"}}) ==
        "stlm::QuestionAnswerLoader: pair 2 has 3 tokens in its question and 5 in its answer with the end of text; expected 1 "
        "to 4 in each: leave it out, or raise `tokens`.");
  CHECK(refuse({{"abcde", "b"}}).find("pair 1 has 5 tokens") != std::string::npos);
  CHECK(refuse({{"", "b"}}).find("pair 1 has 0 tokens") != std::string::npos);
  CHECK(refuse({}) == "stlm::QuestionAnswerLoader: there is no pair; give at least one.");
}

TEST_CASE("QuestionAnswerLoader: any tokenizer with integer ids", "[data][question_answer]") {
  struct Letters {
    static Token pad() { return 100; }  // or a constant, as ByteTokenizer's
    Token end_of_text = 101;
    std::vector<Token> encode(std::string_view text) const {
      std::vector<Token> tokens;
      for (const char c : text) tokens.push_back(c - 'a');
      return tokens;
    }
  };
  QuestionAnswerLoader<Letters> loader({{"ab", "c"}, {"abc", "de"}}, {2, 4});
  const PairBatch batch = loader.next();
  CHECK(std::vector<Token>(batch.answers.begin(), batch.answers.end()) == std::vector<Token>{2, 101, 100, 3, 4, 101});
}
