// stlm_tokenize: turns text into ids and back, and learns tokenizers from text.
//
//   stlm_tokenize --encoder encoder.json --merges vocab.bpe < text > ids      # the tokenizer of GPT-2
//   stlm_tokenize --encoder encoder.json --merges vocab.bpe --decode < ids    # the same bytes again
//   stlm_tokenize --train 1024 --out bpe.txt FILE...                          # a tokenizer of your own
//   stlm_tokenize --tokenizer bpe.txt < text > ids
//
// Standard input, or each FILE, is one text of any bytes. A text becomes one line of ids.
#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>
#include <iterator>

#include <stlm/tokenizer/bpe_file.hpp>
#include <stlm/tokenizer/bpe_training.hpp>
#include <stlm/tokenizer/gpt2_files.hpp>
#include <stlm/tokenizer/reference_bpe_file.hpp>

#include "../common/written.hpp"

namespace {

struct Options {
  std::string encoder, merges, tokenizer, rule = "greedy", out;
  std::vector<std::string> specials, files;
  stlm::Token train = 0;
  bool decode = false;
};

void add_options(CLI::App& app, Options& o) {
  auto* encoder = app.add_option("--encoder", o.encoder, "GPT-2's ids, encoder.json");
  auto* merges = app.add_option("--merges", o.merges, "GPT-2's merges, vocab.bpe")->needs(encoder);
  auto* tokenizer = app.add_option("--tokenizer", o.tokenizer, "A tokenizer made with --train, or the reference's, *.model")->excludes(encoder);
  auto* decode = app.add_flag("--decode", o.decode, "Ids, white space between, to bytes");
  auto* special = app.add_option("--special", o.specials, "A mark, such as <|endoftext|>, to read and write by name")
                      ->allow_extra_args(false);
  auto* out = app.add_option("--out", o.out, "Where the tokenizer learnt is written");
  auto* train = app.add_option("--train", o.train, "Learn a vocabulary of this many ids, 258 of them bytes and marks")
                    ->check(CLI::PositiveNumber);
  auto* rule = app.add_option("--rule", o.rule, "How merges are learnt")
      ->check(CLI::IsMember({"greedy", "reference"}))
      ->capture_default_str();
  app.add_option("files", o.files, "Files to read instead of standard input")->check(CLI::ExistingFile);
  encoder->needs(merges);
  train->needs(out)->excludes(encoder)->excludes(tokenizer)->excludes(decode)->excludes(special);
  out->needs(train);
  rule->needs(train);
}

/// The texts: files are mapped, standard input is read to its end.
struct Input {
  explicit Input(const std::vector<std::string>& paths) : files(paths.begin(), paths.end()) {
    if (paths.empty()) {
      standard_input.assign(std::istreambuf_iterator<char>(std::cin), {});
      texts.push_back(standard_input);
    }
    for (const stlm::MappedFile& file : files) texts.push_back(file.text());
  }
  std::vector<stlm::MappedFile> files;
  std::string standard_input;
  std::vector<std::string_view> texts;
};

stlm::BpeTokenizer open_tokenizer(const Options& o) {
  if (!o.encoder.empty()) return stlm::load_gpt2(o.encoder, o.merges);
  stlm::expect<stlm::Error>(!o.tokenizer.empty(),
                            "give a tokenizer: --encoder and --merges, or --tokenizer, or --train.");
  return o.tokenizer.ends_with(".model") ? stlm::load_reference_bpe(o.tokenizer) : stlm::load_bpe(o.tokenizer);
}

std::vector<stlm::Token> parse_ids(std::string_view text) {
  constexpr std::string_view white = " \t\r\n";
  std::vector<stlm::Token> ids;
  for (std::size_t at = text.find_first_not_of(white); at != text.npos; at = text.find_first_not_of(white, at)) {
    const std::string_view word = text.substr(at, text.find_first_of(white, at) - at);
    stlm::Token id = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    stlm::expect<stlm::Error>(error == std::errc{} && end == word.data() + word.size(),
                              "--decode: expected an id, found \"", word.substr(0, 40), "\" after ", ids.size(),
                              " ids.");
    ids.push_back(id);
    at += word.size();
  }
  return ids;
}

std::string format_ids(const std::vector<stlm::Token>& ids) {
  std::string line;
  for (const stlm::Token id : ids) line.append(line.empty() ? "" : " ").append(std::to_string(id));
  return line + "\n";
}

int run(const Options& o) {
  if (o.train != 0) {
    const Input input(o.files);
    stlm::save_bpe(o.rule == "greedy" ? stlm::train_bpe<stlm::GreedyMerges>(input.texts, o.train)
                                      : stlm::train_bpe<stlm::ReferenceMerges>(input.texts, o.train),
                   o.out);
    return 0;
  }
  const stlm::BpeTokenizer tokenizer = open_tokenizer(o);
  const Input input(o.files);
  for (const std::string_view text : input.texts)
    std::cout << (o.decode ? tokenizer.decode(parse_ids(text), o.specials)
                           : format_ids(tokenizer.encode(text, o.specials)));
  example::expect_written();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  Options options;
  CLI::App app(
      "Text to ids and back with byte-pair encoding. Standard input, or each file, is one text and one line of ids.");
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::cerr << "stlm_tokenize: " << error.what() << "\n";
    return 1;
  }
}
