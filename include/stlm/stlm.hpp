// stlm: super tiny language models as types. Include a backend besides this header: <stlm/backend/eigen.hpp>,
// <stlm/backend/reference.hpp>, or <stlm/backend/cuda.hpp> in a .cu file. To keep compile time low, this header leaves out
// byte-pair vocabularies (<stlm/tokenizer/bpe_file.hpp>, <stlm/tokenizer/bpe_training.hpp>, <stlm/tokenizer/gpt2_files.hpp>),
// 8-bit weights (<stlm/infer/quantized_weights.hpp>) and multiple choice (<stlm/eval/multiple_choice.hpp>).
#pragma once

#include <stlm/data/byte_loader.hpp>
#include <stlm/data/masked_objective.hpp>
#include <stlm/data/patch_loader.hpp>
#include <stlm/data/question_answer.hpp>
#include <stlm/data/reference_patches.hpp>
#include <stlm/data/story_grammar.hpp>
#include <stlm/data/token_text.hpp>
#include <stlm/eval/character_perplexity.hpp>
#include <stlm/eval/gradient_check.hpp>
#include <stlm/infer/answerer.hpp>
#include <stlm/infer/batch_generator.hpp>
#include <stlm/infer/generator.hpp>
#include <stlm/infer/patch_generator.hpp>
#include <stlm/io/weights.hpp>
#include <stlm/models/byte_level_model.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/models/describe.hpp>
#include <stlm/models/merge_lora.hpp>
#include <stlm/models/next_thought.hpp>
#include <stlm/models/presets.hpp>
#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>
#include <stlm/nn/lora_mixture.hpp>
#include <stlm/nn/mixture_of_experts.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/checkpoint.hpp>
#include <stlm/train/clip.hpp>
#include <stlm/train/dropout_schedule.hpp>
#include <stlm/train/evaluate.hpp>
#include <stlm/train/muon.hpp>
#include <stlm/train/schedule.hpp>
#include <stlm/train/train_step.hpp>
