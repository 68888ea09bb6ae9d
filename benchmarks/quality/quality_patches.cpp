// A model over patches that end after words, with an autoregressive decoder for their bytes.
#include "patches.hpp"

int main(int argc, char** argv) { return quality::run_patches<quality::Patches>("quality_patches", argc, argv); }
