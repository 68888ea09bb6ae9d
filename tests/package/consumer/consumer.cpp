// A user's program: what it needs must all come from stlm::stlm.
#include <stlm/core/tensor_view.hpp>

#include <Eigen/Core>
#include <thread>

int main() {
  float numbers[6] = {1, 2, 3, 4, 5, 6};
  float sum = 0;
  std::thread([&] { sum = Eigen::Map<Eigen::VectorXf>(numbers, 6).sum(); }).join();
  const stlm::View<float, stlm::dynamic, 3> view(numbers, 2);
  return view(1, 2) == 6 && sum == 21 ? 0 : 1;
}
