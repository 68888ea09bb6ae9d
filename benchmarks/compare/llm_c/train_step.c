// A training step of llm.c's train_gpt2.c, again and again on one batch: forward, backward, AdamW; and the conversation that
// ../run has with every system (../stlm/work.hpp). train_step.py compiles and starts it:
//
//   train_step CHECKPOINT TOKENS BATCH LENGTH SECONDS
#include <stdio.h>

#define printf(...) fprintf(stderr, __VA_ARGS__)  // what it tells of its model
#define TESTING                                   // without its main
#include "train_gpt2.c"
#undef printf

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void step(GPT2* model, int* tokens, int batch, int length) {
  static int count = 0;
  gpt2_zero_grad(model);
  gpt2_forward(model, tokens, tokens + 1, (size_t)batch, (size_t)length);
  gpt2_backward(model);
  gpt2_update(model, 1e-3f, 0.9f, 0.95f, 1e-8f, 0, ++count);
}

int main(int argc, char** argv) {
  if (argc != 6) {
    fprintf(stderr, "expected CHECKPOINT TOKENS BATCH LENGTH SECONDS, found %d arguments\n", argc - 1);
    return 2;
  }
  const int batch = atoi(argv[3]), length = atoi(argv[4]), size = batch * length + 1;
  const double seconds = atof(argv[5]);
  GPT2 model;
  gpt2_build_from_checkpoint(&model, argv[1]);
  int* const tokens = mallocCheck((size_t)size * sizeof(int));
  FILE* const file = fopenCheck(argv[2], "rb");
  freadCheck(tokens, sizeof(int), (size_t)size, file);
  fcloseCheck(file);

  for (int i = 0; i < 3; ++i) {
    step(&model, tokens, batch, length);
    printf("%s%.9g", i == 0 ? "{\"loss\": [" : ", ", model.mean_loss);
  }
  puts("]}");
  fflush(stdout);
  for (char line[8]; fgets(line, sizeof line, stdin);) {
    const double start = now();
    double steps = 0, passed = 0;
    do {
      step(&model, tokens, batch, length);
      ++steps;
      passed = now() - start;
    } while (passed < seconds);
    printf("{\"tokens_per_second\": %.6g}\n", batch * length * steps / passed);
    fflush(stdout);
  }
  return 0;
}
