#include <all_headers.hpp>

stlm::Index other_size();
stlm::Index other_size() { return stlm::View<float, 2, 3>().size(); }
