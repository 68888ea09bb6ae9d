// Patches that end after words, an autoregressive decoder for their bytes.
#include "patches.hpp"

int main(int argc, char** argv) { return quality::run_patches<quality::Patches>("quality_patches", argc, argv); }
