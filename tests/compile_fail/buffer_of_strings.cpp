// expect: stlm::Buffer: T must be trivially copyable
#include <string>

#include <stlm/core/buffer.hpp>

#ifdef STLM_FIXED
using Element = char;
#else
using Element = std::string;
#endif

stlm::Buffer<Element> names() { return stlm::Buffer<Element>(8); }
