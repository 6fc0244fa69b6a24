#include "format/dtype.h"

#include <doctest/doctest.h>

#include <array>

using namespace keyshift;

namespace {

struct Row {
  const char* name;
  int bits;
};
// In the order of safetensors 0.8.0's enumeration.
constexpr std::array<Row, 22> kRows = {{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
}};

}  // namespace

TEST_CASE("the 22 dtypes of safetensors 0.8.0 have their names, bits and order") {
  static_assert(kRows.size() == kDtypeCount);
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    const auto dtype = static_cast<Dtype>(i);
    CHECK(name(dtype) == kRows[i].name);
    CHECK(bits(dtype) == kRows[i].bits);
    CHECK(parse_dtype(kRows[i].name) == dtype);
  }
  CHECK(static_cast<int>(Dtype::U64) == kDtypeCount - 1);
}

TEST_CASE("a dtype is known by its exact spelling only") {
  for (const char* wrong :
       {"", "f32", "F32 ", " F32", "F3", "F322", "float32", "F8", "F8_E4M3FN", "BF16\n", "bool"}) {
    CHECK_MESSAGE(!parse_dtype(wrong), wrong);
  }
  CHECK_FALSE(parse_dtype(std::string_view("F32\0", 4)));
}
