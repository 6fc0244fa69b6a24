// The loops that rename, as many as this machine can run.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "transforms/shape_kernel.h"

namespace keyshift::test {

/// Tells of those that cannot be tested here.
inline std::vector<const ShapeKernel*> kernels() {
  std::vector<const ShapeKernel*> all = {&portable_kernel()};
  const auto add = [&](const char* name, const ShapeKernel* kernel) {
    if (kernel != nullptr) {
      all.push_back(kernel);
    } else {
      MESSAGE("the kernel for ", std::string(name), " was not tested: this processor has not what it takes");
    }
  };
  add("AVX2", avx2_kernel());
  add("AVX-512", avx512_kernel());
  return all;
}

}  // namespace keyshift::test
