// The data path without a disk: from a warm mapping through digests, beside memcpy and the digest alone.
#include <benchmark/benchmark.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/output_stream.h"
#include "engine/copy.h"
#include "format/header.h"
#include "plan/prepare_plan.h"
#include "sparse_checkpoint.h"

namespace {

using namespace keyshift;
namespace fs = std::filesystem;

constexpr std::size_t kTensor = 32U << 20U, kTensors = 8;  // 256 MiB

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    const std::uint64_t value = random();
    std::memcpy(bytes.data() + i, &value, 8);
  }
  return bytes;
}

const std::string& data() {
  static const std::string made = random_bytes(kTensor * kTensors);
  return made;
}

// One shard of random bytes; its folder goes with the program.
class Source {
 public:
  Source() : sparse_(tensors(), 1) {
    const fs::path shard = sparse_.folder() / "model-00001-of-00001.safetensors";
    std::fstream file(shard, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(sparse_.header_bytes()));
    file.write(data().data(), static_cast<std::streamsize>(data().size()));
    if (!file.flush()) throw std::runtime_error("cannot write " + shard.string());
  }
  const fs::path& folder() const { return sparse_.folder(); }

 private:
  static std::vector<bench::SparseCheckpoint::Tensor> tensors() {
    std::vector<bench::SparseCheckpoint::Tensor> made;
    for (std::size_t i = 0; i < kTensors; ++i) made.push_back({"t." + std::to_string(i), {kTensor / 2}});
    return made;
  }
  bench::SparseCheckpoint sparse_;
};

class Silence : public Progress {
 public:
  void begin(std::string_view, std::uint64_t) override {}
  void advance(std::uint64_t) override {}
  void end() override {}
};

void set_rate(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(data().size()));
}

void memory_copy(benchmark::State& state) {
  std::string to(data().size(), '\0');
  for (auto _ : state) {
    std::memcpy(to.data(), data().data(), to.size());
    benchmark::ClobberMemory();
  }
  set_rate(state);
}

void digest_alone(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(digest_of(data()));
  set_rate(state);
}

PreparedPlan plan_of(const Source& source) {
  PlanRequest request;
  request.source = source.folder();
  return prepare_plan(request);
}

// A digest for each tensor and one for the whole file, the bytes read once from the mapping.
void shard_into_digests(benchmark::State& state) {
  const Source source;
  const PreparedPlan prepared = plan_of(source);
  Silence silence;
  const Interrupt interrupt;
  for (auto _ : state) {
    OutputStream out = OutputStream::to_digest();
    const auto digests =
        copy_shard(*prepared.checkpoint, prepared.plan.shards.front(), out, silence, interrupt);
    if (digests.front() != digest_of(std::string_view(data()).substr(0, kTensor)))
      throw std::runtime_error("the digest of the first tensor is not that of its bytes");
    benchmark::DoNotOptimize(out.finish());
  }
  set_rate(state);
}

BENCHMARK(memory_copy)->Unit(benchmark::kMillisecond);
BENCHMARK(digest_alone)->Unit(benchmark::kMillisecond);
BENCHMARK(shard_into_digests)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
