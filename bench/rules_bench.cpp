// Renaming throughput: the trie in table order and shuffled, beside rule by rule and memcpy.
//
// Every row of the trie is a whole first pass: a new RenameRun learns its shapes, and every byte of the
// result is written. KEYSHIFT_BENCH_KEYS=FILE (one key a line) adds a table, KEYSHIFT_BENCH_TRANSFORMS=FILE a
// list.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "key_tables.h"
#include "transforms/rename_run.h"
#include "transforms/shape_kernel.h"
#include "transforms/transform_file.h"
#include "transforms/transform_trie.h"

namespace keyshift::bench {
namespace {

using Keys = std::shared_ptr<const KeyTable>;
using List = std::shared_ptr<const TransformList>;

std::shared_ptr<const Renaming> compile(const TransformList& list) {
  return std::make_shared<const Renaming>(list, RenamingOptions{});
}

void count(benchmark::State& state, const KeyTable& table) {
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["keys"] = static_cast<double>(table.keys().size());
  state.counters["keys/s"] =
      benchmark::Counter(rounds * static_cast<double>(table.keys().size()), benchmark::Counter::kIsRate);
}

/// What rule by rule makes of the keys of a table, whatever their order. Found once, when it is first needed:
/// with 10,000 transforms that takes a minute.
class PlainAnswers {
 public:
  PlainAnswers(std::vector<std::string> keys, List list) : keys_(std::move(keys)), list_(std::move(list)) {}

  /// The digest of the new keys, one after another, in the order of `table`.
  Digest digest(const KeyTable& table) {
    if (answers_.empty()) {
      const auto renaming = compile(*list_);
      PlainRun plain(*renaming);
      for (const std::string& key : keys_) answers_.emplace(key, plain.rename(key));
    }
    std::string text;
    for (const std::string_view key : table.keys()) text += answers_.at(key);
    return digest_of(text);
  }

 private:
  std::vector<std::string> keys_;
  List list_;
  std::unordered_map<std::string_view, std::string> answers_;
};
using Answers = std::shared_ptr<PlainAnswers>;

void time_trie(benchmark::State& state, const KeyTable& table, const TransformList& list,
               PlainAnswers& answers, const ShapeKernel& kernel, bool fresh_memory) {
  const TransformTrie trie(compile(list));
  RenamedKeys renamed;
  RenameRun(trie, kernel).rename(table.keys(), renamed);
  if (digest_of(renamed.text()) != answers.digest(table)) {
    state.SkipWithError("the trie's result is not that of rule by rule");
    return;
  }
  std::size_t shapes = 0;
  for ([[maybe_unused]] auto round : state) {
    RenameRun run(trie, kernel);
    if (fresh_memory) {
      renamed = RenamedKeys();
    } else {
      renamed.clear();
    }
    run.rename(table.keys(), renamed);
    benchmark::ClobberMemory();
    shapes = run.shapes();
  }
  state.counters["shapes"] = static_cast<double>(shapes);
  count(state, table);
}

void time_plain(benchmark::State& state, const KeyTable& table, const TransformList& list) {
  const auto renaming = compile(list);
  for ([[maybe_unused]] auto round : state) {
    PlainRun run(*renaming);
    for (const std::string_view key : table.keys()) benchmark::DoNotOptimize(run.rename(key));
  }
  count(state, table);
}

/// The ceiling: the same bytes to one block, and nothing else.
void time_memcpy(benchmark::State& state, const KeyTable& table) {
  const std::unique_ptr<char[]> out(new char[table.bytes() + 1]);
  for ([[maybe_unused]] auto round : state) {
    char* at = out.get();
    for (const std::string_view key : table.keys()) {
      std::memcpy(at, key.data(), key.size());
      at += key.size();
    }
    benchmark::ClobberMemory();
  }
  count(state, table);
}

void time_compile(benchmark::State& state, const TransformList& list) {
  for ([[maybe_unused]] auto round : state) {
    const TransformTrie trie(compile(list));
    benchmark::DoNotOptimize(&trie);
  }
}

void add(const std::string& name, std::function<void(benchmark::State&)> body) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(body))->Unit(benchmark::kMillisecond);
}

void add_rows(const std::string& name, const Keys& table, const std::string& list_name, const List& list,
              const Answers& answers, bool plain_too) {
  const std::string suffix = name + "/" + list_name;
  add("trie/" + suffix,
      [=](benchmark::State& s) { time_trie(s, *table, *list, *answers, best_kernel(), false); });
  add("trie_fresh_memory/" + suffix,
      [=](benchmark::State& s) { time_trie(s, *table, *list, *answers, best_kernel(), true); });
  if (&best_kernel() != &portable_kernel()) {
    add("trie_portable/" + suffix,
        [=](benchmark::State& s) { time_trie(s, *table, *list, *answers, portable_kernel(), false); });
  }
  if (plain_too) add("rule_by_rule/" + suffix, [=](benchmark::State& s) { time_plain(s, *table, *list); });
}

struct NamedTable {
  std::string name;
  std::vector<std::string> keys;
};
struct NamedList {
  std::string name;
  List list;
  bool plain_too;
};

std::vector<NamedTable> tables() {
  std::vector<NamedTable> all = {{"experts", mixture_of_experts_keys()}, {"dense", dense_keys(40)}};
  if (const char* path = std::getenv("KEYSHIFT_BENCH_KEYS")) all.push_back({"file", read_keys(path)});
  return all;
}

std::vector<NamedList> lists() {
  std::vector<NamedList> all;
  for (const std::size_t count : {2, 10, 42, 100, 1'000, 10'000}) {
    all.push_back({std::to_string(count), std::make_shared<TransformList>(transforms(count)), count <= 100});
  }
  all.push_back({"100_with_numbers", std::make_shared<TransformList>(transforms_with_numbers(100)), true});
  if (const char* path = std::getenv("KEYSHIFT_BENCH_TRANSFORMS")) {
    all.push_back({"file", std::make_shared<TransformList>(read_transforms(path)), true});
  }
  return all;
}

void add_all() {
  const std::vector<NamedList> all_lists = lists();
  for (const NamedTable& table : tables()) {
    const auto in_order = std::make_shared<const KeyTable>(table.keys);
    const auto out_of_order = std::make_shared<const KeyTable>(shuffled(table.keys));
    for (const auto& [name, keys] :
         {std::pair(table.name + "/in_order", in_order), std::pair(table.name + "/shuffled", out_of_order)}) {
      add("memcpy/" + name, [keys = keys](benchmark::State& s) { time_memcpy(s, *keys); });
    }
    for (const NamedList& list : all_lists) {
      const auto answers = std::make_shared<PlainAnswers>(table.keys, list.list);
      add_rows(table.name + "/in_order", in_order, list.name, list.list, answers, list.plain_too);
      add_rows(table.name + "/shuffled", out_of_order, list.name, list.list, answers, false);
    }
  }
  for (const NamedList& list : all_lists) {
    add("compile/" + list.name, [list](benchmark::State& s) { time_compile(s, *list.list); });
  }
}

}  // namespace
}  // namespace keyshift::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    keyshift::bench::add_all();
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rules_bench: %s\n", error.what());
    return 3;
  }
  return 0;
}
