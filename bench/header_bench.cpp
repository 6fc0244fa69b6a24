// Headers: read, renamed and rebuilt in memory, beside the copy of the same bytes, which nothing can beat.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/huge_pages.h"
#include "format/checkpoint.h"
#include "plan/prepare_plan.h"
#include "sparse_checkpoint.h"
#include "transforms/transform_file.h"

namespace {

using namespace keyshift;
using bench::SparseCheckpoint;

constexpr std::size_t kShards = 163;

const SparseCheckpoint& checkpoint() {
  static const SparseCheckpoint made(bench::deepseek_like_tensors(), kShards);
  return made;
}

const SparseCheckpoint& headers_alone() {
  static const SparseCheckpoint made(bench::deepseek_like_tensors(), kShards,
                                     SparseCheckpoint::WithIndex::no);
  return made;
}

PlanRequest request(const SparseCheckpoint& source, unsigned jobs) {
  PlanRequest request;
  request.source = source.folder();
  request.open.jobs = jobs;
  request.open.tolerate_index_mismatch = true;  // there may be none
  request.transforms.transforms.push_back(
      parse_rename_option(R"(^model\.layers=>model.language_model.layers)"));
  request.transforms.transforms.push_back(parse_rename_option(R"(\.mlp\.experts=>.moe.experts)"));
  return request;
}

void count(benchmark::State& state, std::size_t keys) {
  state.counters["keys"] = static_cast<double>(keys);
  state.counters["header_MB"] = static_cast<double>(checkpoint().header_bytes()) / 1e6;
  state.counters["TB"] = static_cast<double>(checkpoint().data_bytes()) / 1e12;
}

void copy_headers_in_memory(benchmark::State& state) {
  const std::string from(checkpoint().header_bytes(), 'x');
  std::string to(from.size(), '\0');
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  count(state, 0);
}

void read_headers(benchmark::State& state) {
  OpenOptions options;
  options.jobs = static_cast<unsigned>(state.range(0));
  std::size_t keys = 0;
  for (auto _ : state) {
    const Checkpoint opened = Checkpoint::open(checkpoint().folder(), options);
    keys = opened.tensor_count();
  }
  count(state, keys);
}

// The answer is checked before anything is timed: every header of the plan reads back with the expected key.
std::size_t check_plan(const PreparedPlan& prepared) {
  std::size_t renamed = 0;
  for (const PlannedShard& shard : prepared.plan.shards) {
    if (shard.header.find("\"model.layers") != std::string::npos ||
        shard.header.find(".mlp.experts") != std::string::npos) {
      throw std::runtime_error("a key of " + shard.name + " has its old name");
    }
    renamed += shard.tensors.size();
  }
  return renamed;
}

void read_rename_rebuild(benchmark::State& state, const SparseCheckpoint& source) {
  const PlanRequest wanted = request(source, static_cast<unsigned>(state.range(0)));
  const std::size_t keys = check_plan(prepare_plan(wanted));
  for (auto _ : state) {
    const PreparedPlan prepared = prepare_plan(wanted);
    benchmark::DoNotOptimize(prepared.plan.shards.data());
  }
  count(state, keys);
}

void rebuild_headers(benchmark::State& state) { read_rename_rebuild(state, headers_alone()); }
void rebuild_headers_and_index(benchmark::State& state) { read_rename_rebuild(state, checkpoint()); }

BENCHMARK(copy_headers_in_memory)->Unit(benchmark::kMillisecond);
BENCHMARK(read_headers)->ArgName("jobs")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(rebuild_headers)->ArgName("jobs")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(rebuild_headers_and_index)
    ->ArgName("jobs")
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  keyshift::prefer_huge_heap();  // as the program does
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
