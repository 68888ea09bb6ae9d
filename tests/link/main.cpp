#include <all_headers.hpp>

stlm::Index other_size();

int main() { return stlm::View<float, 2, 3>().size() == other_size() ? 0 : 1; }
