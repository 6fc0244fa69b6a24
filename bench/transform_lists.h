// Lists of transforms to measure with, made here.
#pragma once

#include <cstddef>

#include "transforms/transform.h"

namespace keyshift::bench {

/// `count` transforms, written as people write them: two match, the others are about parts that these models
/// do not have.
TransformList transforms(std::size_t count);
/// As many that name the number of a layer, so that keys that differ only in it have different results.
TransformList transforms_with_numbers(std::size_t count);

}  // namespace keyshift::bench
