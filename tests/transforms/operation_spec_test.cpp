#include "transforms/operation_spec.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace keyshift;

namespace {

json::Node json_of(std::string_view text) { return json::parse(text, {.file = "test"}); }

OperationSpec operation(std::string type, std::string_view arguments = "{}") {
  return {std::move(type), json_of(arguments).members};
}

std::string fault(const OperationSpec& spec) {
  const auto found = check_arguments(spec);
  return found ? found->message : "none";
}

// "Chunk(dim=1, num_shards_attribute=null)"
std::string text(const OperationSpec& spec) {
  std::string out = spec.type + "(";
  for (const auto& [name, value] : spec.arguments) {
    out += (out.back() == '(' ? "" : ", ") + name + "=";
    if (value.kind == json::Kind::boolean) out += value.boolean ? "true" : "false";
    if (value.kind == json::Kind::null) out += "null";
    out += value.text;
    for (const auto& element : value.elements) out += element.text + ";";
  }
  return out + ")";
}

}  // namespace

TEST_CASE("the known operations are those that move numbers without computing") {
  CHECK(is_known_operation("Chunk"));
  CHECK_FALSE(is_known_operation("chunk"));
  CHECK_FALSE(is_known_operation("Fp8Dequantize"));
  CHECK(unknown_operation("Cast").starts_with("unknown operation \"Cast\"; known are Chunk, Concatenate, "));
}

TEST_CASE("arguments of an operation must have the right names and types") {
  CHECK(fault(operation("Chunk", R"({"dim": -1, "num_shards_attribute": "n"})")) == "none");
  CHECK(fault(operation("Chunk", R"({"dims": 1})")) == "Chunk takes no \"dims\"");
  CHECK(fault(operation("Split", R"({"dim": 1.0})")) == "\"dim\" of Split must be an integer");
  CHECK(fault(operation("Split", R"({"dim": 18446744073709551616})")) ==
        "\"dim\" of Split must be an integer");
  CHECK(fault(operation("Interleave", R"({"inverse": 1})")) ==
        "\"inverse\" of Interleave must be true or false");
  CHECK(fault(operation("Chunk", R"({"num_shards_attribute": 3})")) ==
        "\"num_shards_attribute\" of Chunk must be a string or null");
  CHECK(fault(operation("PermuteForRope", R"({"permute_layer_names": ["q", 1]})")) ==
        "\"permute_layer_names\" of PermuteForRope must be an array of strings or null");
  CHECK(fault(operation("LinearToConv3d", R"({"in_channels": 3, "kernel_size": [2, 2]})")) ==
        "\"kernel_size\" of LinearToConv3d must be an array of three integers");
  CHECK(fault(operation("Conv3dToLinear", R"({"in_channels": 3})")) ==
        "Conv3dToLinear needs \"kernel_size\"");
}

TEST_CASE("an operation is undone by its counterpart, with defaults written out") {
  CHECK(text(reversed(operation("Chunk", R"({"dim": 1})"))) ==
        "Concatenate(dim=1, num_shards_attribute=null)");
  CHECK(text(reversed(operation("Concatenate", R"({"num_shards_attribute": "n"})"))) ==
        "Chunk(dim=0, num_shards_attribute=n)");
  CHECK(text(reversed(operation("Split", R"({"dim": 2})"))) ==
        "Concatenate(dim=2, num_shards_attribute=null)");
  CHECK(text(reversed(operation("MergeModulelist"))) == "SplitModulelist(dim=0)");
  CHECK(text(reversed(operation("SplitModulelist", R"({"dim": 1})"))) == "MergeModulelist(dim=1)");
  CHECK(text(reversed(operation("Interleave", R"({"dim": 1})"))) == "Interleave(dim=1, inverse=true)");
  CHECK(text(reversed(operation("Transpose", R"({"dim1": 2})"))) ==
        "Transpose(dim0=2, dim1=0, check_dims=false)");
  CHECK(text(reversed(operation("Conv3dToLinear", R"({"in_channels": 3, "kernel_size": [2, 4, 5]})"))) ==
        "LinearToConv3d(in_channels=3, kernel_size=2;4;5;)");
  CHECK(text(reversed(operation("PermuteForRope", R"({"inverse": true, "subconfig_key": "s"})"))) ==
        "PermuteForRope(subconfig_key=s, permute_layer_names=null, inverse=false)");
  CHECK(text(reversed(operation("VisionFuseAndPermuteForRope"))) ==
        "VisionUnfuseAndPermuteForRope(dim=0, permute_layer_names=null, inverse=false)");
  CHECK(text(reversed(operation("VisionUnfuseAndPermuteForRope"))) ==
        "VisionFuseAndPermuteForRope(dim=0, permute_layer_names=null, inverse=true)");
  CHECK(text(reversed(operation("ErnieFuseAndSplitTextVisionExperts", R"({"stack_dim": 2})"))) ==
        "ErnieSplitAndDecoupleTextVisionExperts(stack_dim=2, concat_dim=1)");
  CHECK(text(reversed(operation("ErnieSplitAndDecoupleTextVisionExperts"))) ==
        "ErnieFuseAndSplitTextVisionExperts(stack_dim=0, concat_dim=1)");
}

TEST_CASE("only the Ernie operations go from many to many") {
  CHECK(supports_many_to_many(operation("ErnieFuseAndSplitTextVisionExperts")));
  CHECK(supports_many_to_many(operation("ErnieSplitAndDecoupleTextVisionExperts")));
  CHECK_FALSE(supports_many_to_many(operation("Chunk")));
  CHECK_FALSE(supports_many_to_many(operation("Nope")));
}
