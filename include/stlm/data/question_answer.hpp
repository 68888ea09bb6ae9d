// Question and answer: pairs of texts from JSON lines, and batches of them in a seeded order that can be resumed anywhere.
//
//   const auto pairs = read_question_answers("pairs.jsonl");      // {"question": "Why?", "answer": "Because."} a line
//   QuestionAnswerLoader loader(pairs, {.batch = 16, .tokens = 64});
//   const PairBatch batch = loader.next();
//
// Every answer ends with the tokenizer's end of text. A batch holds its questions without padding, sorted by length, so
// that questions of equal length are neighbours (nn/unpadded.hpp). Its answers are padded to the longest answer.
#pragma once

#include <stlm/core/batch.hpp>
#include <stlm/data/window_order.hpp>
#include <stlm/io/detail/line_reader.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>
#include <stlm/tokenizer/detail/special_tokens.hpp>

namespace stlm {

struct QuestionAnswer {
  std::string question, answer;
};

/// The names of the two fields in the file; all other fields are skipped.
struct QuestionAnswerFields {
  std::string question = "question", answer = "answer";
};

/// All pairs of a file of JSON lines; empty lines are skipped. Throws FileError naming file and line if a line is not a
/// JSON object in UTF-8, lacks a field, or has an empty text.
inline std::vector<QuestionAnswer> read_question_answers(const std::string& path, const QuestionAnswerFields& fields = {}) {
  detail::LineReader lines(path, "stlm::read_question_answers");
  expect<FileError>(!lines.empty(), "stlm::read_question_answers: \"", path, "\" is empty; give a file of JSON lines.");
  expect<Error>(fields.question != fields.answer, "stlm::read_question_answers: expected two fields, found \"", fields.question,
                "\" for both; name that of the answer.");
  std::vector<QuestionAnswer> pairs;
  while (lines.next()) {
    if (lines.blank()) continue;
    const std::string where = lines.where();
    QuestionAnswer& pair = pairs.emplace_back();
    JsonReader json(lines.line(), where);
    json.object([&](const std::string& key) {
      if (key != fields.question && key != fields.answer) return json.skip();
      std::string& value = key == fields.question ? pair.question : pair.answer;
      value = json.string();
      expect<FileError>(!value.empty(), where, ": the field \"", key, "\" is empty; give it a text or leave the line out.");
    });
    json.end();
    for (const auto& [name, value] : {std::pair(&fields.question, &pair.question), std::pair(&fields.answer, &pair.answer)})
      expect<FileError>(!value->empty(), where, ": expected a field \"", *name,
                        "\", found none; add it, or name the fields that the file has.");
  }
  return pairs;
}

/// Batches over all pairs, each pair once an epoch. Pair n of the endless sequence is a function of (seed, n). Tokenizer
/// has `encode(text)`, a `pad` and an `end_of_text`.
template <class Tokenizer = ByteTokenizer>
class QuestionAnswerLoader {
 public:
  /// `shape.tokens`: the most tokens of a question, and of an answer with its end of text.
  QuestionAnswerLoader(const std::vector<QuestionAnswer>& pairs, BatchShape shape, std::uint64_t seed = 0,
                       const Tokenizer& tokenizer = {})
      : shape_(shape), key_(RandomKey::from_seed(seed)), pad_(detail::pad_of(tokenizer)) {
    expect_tokens_in("QuestionAnswerLoader", shape);
    expect<Error>(!pairs.empty(), "stlm::QuestionAnswerLoader: there is no pair; give at least one.");
    for (const QuestionAnswer& pair : pairs) {
      Tokens& ids = pairs_.emplace_back(tokenizer.encode(pair.question), tokenizer.encode(pair.answer));
      ids.answer.push_back(detail::end_of_text_of(tokenizer));
      expect<Error>(fits(ids.question) && fits(ids.answer), "stlm::QuestionAnswerLoader: pair ", pairs_.size(), " has ",
                    ids.question.size(), " tokens in its question and ", ids.answer.size(),
                    " in its answer with the end of text; expected 1 to ", shape.tokens,
                    " in each: leave it out, or raise `tokens`.");
    }
    const auto most = static_cast<std::size_t>(shape.batch * shape.tokens);
    order_.resize(static_cast<std::size_t>(shape.batch));
    questions_.reserve(most);
    answers_.reserve(most);
    lengths_.reserve(order_.size());
  }

  /// The next batch; its views are valid until the next call.
  PairBatch next() {
    const std::uint64_t size = pairs_.size();
    std::size_t longest = 0;
    for (const Tokens*& pair : order_) {
      pair = &pairs_[detail::EpochPlace::at(key_, position_++, size).item];
      longest = std::max(longest, pair->answer.size());
    }
    std::sort(order_.begin(), order_.end(), [](const Tokens* a, const Tokens* b) {
      return a->question.size() != b->question.size() ? a->question.size() < b->question.size() : a < b;
    });
    questions_.clear();
    answers_.clear();
    lengths_.clear();
    for (const Tokens* pair : order_) {
      questions_.insert(questions_.end(), pair->question.begin(), pair->question.end());
      lengths_.push_back(std::ssize(pair->question));
      answers_.insert(answers_.end(), pair->answer.begin(), pair->answer.end());
      answers_.resize(answers_.size() + longest - pair->answer.size(), pad_);
    }
    return {{questions_.data(), std::ssize(questions_)},
            {lengths_.data(), shape_.batch},
            {answers_.data(), shape_.batch, static_cast<Index>(longest)}};
  }

  /// Pairs returned so far; `seek` continues from any position.
  std::uint64_t position() const { return position_; }
  void seek(std::uint64_t position) { position_ = position; }

 private:
  struct Tokens {
    std::vector<Token> question, answer;
    Tokens(std::vector<Token> q, std::vector<Token> a) : question(std::move(q)), answer(std::move(a)) {}
  };
  bool fits(const std::vector<Token>& tokens) const { return !tokens.empty() && std::ssize(tokens) <= shape_.tokens; }

  BatchShape shape_;
  RandomKey key_;
  Token pad_;
  std::uint64_t position_ = 0;
  std::vector<Tokens> pairs_;
  std::vector<const Tokens*> order_;
  std::vector<Token> questions_, answers_;
  std::vector<Index> lengths_;
};

}  // namespace stlm
