// stlm_next_thought: trains a model that turns a question into one vector, this into the answer's vector, and this into text.
//
//   stlm_next_thought train --max-seconds 90 --out DIR                                  # sums, words reversed, letters sorted
//   stlm_next_thought train --data pairs.jsonl --question prompt --answer response      # your own pairs
//   stlm_next_thought generate --weights DIR/model.safetensors --prompt "12 + 30?"
#include <CLI/CLI.hpp>

#include <stlm/backend/eigen.hpp>

#include "../common/command_line.hpp"
#include "run.hpp"

int main(int argc, char** argv) {
  Options o;
  CLI::App app("A next-thought model over bytes of " + std::to_string(stlm::num_params<Model>) +
               " parameters: an encoder that pools a question by attention into one vector of 192 numbers, an MLP from it "
               "to the vector of the answer, and a decoder of two layers that writes the answer from 8 prefixes.");
  app.require_subcommand(1);
  auto* train_command = app.add_subcommand("train", "Train on pairs of questions and answers, or on the built-in ones; weights "
                                                    "are written at the end");
  auto* data = train_command->add_option("--data", o.data, "JSON lines, a pair each (default: the built-in questions)");
  data->check(CLI::ExistingFile);
  train_command->add_option("--question", o.fields.question, "Field of the question")->needs(data)->capture_default_str();
  train_command->add_option("--answer", o.fields.answer, "Field of the answer")->needs(data)->capture_default_str();
  example::add_held_out(*train_command, o, data);
  train_command->add_option("--batch", o.batch, "Pairs a step")->check(CLI::PositiveNumber)->capture_default_str();
  example::add_run(*train_command, o);
  auto* generate_command = app.add_subcommand("generate", "Answer a question with trained weights");
  example::add_generate(*generate_command, o);
  generate_command->add_option("--prompt", o.prompt, "The question")->required();
  app.add_subcommand("info", "Print the model: tensors and parameters");
  for (auto* command : {train_command, generate_command}) example::add_machine(*command, o);
  CLI11_PARSE(app, argc, argv);
  try {
    const std::string command = app.get_subcommands().front()->get_name();
    if (command == "info") return std::cout << stlm::describe<Model>(), example::expect_written(), 0;
    if (o.device == "cpu") return run_on<stlm::EigenBackend>(command, o);
#if defined(STLM_EXAMPLE_ON_CUDA)
    return run_on_cuda(command, o);
#else
    example::fail_without_cuda();
#endif
  } catch (const std::exception& error) {
    std::cerr << "stlm_next_thought: " << error.what() << "\n";
    return 1;
  }
}
