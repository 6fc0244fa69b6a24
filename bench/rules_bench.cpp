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
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "key_tables.h"
#include "transforms/check_against_plain.h"
#include "transforms/rename_run.h"
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

Digest plain_digest(const Renaming& renaming, const KeyTable& table) {
  PlainRun plain(renaming);
  std::string text;
  for (const std::string_view key : table.keys()) text += plain.rename(key);
  return digest_of(text);
}

/// Holds the trie against rule by rule on every key, before anything is timed; the digest is of the result.
Digest checked_digest(const TransformTrie& trie, const KeyTable& table, const ShapeKernel& kernel) {
  if (const auto difference = check_against_plain(trie, table.keys(), kernel)) {
    throw Error(ErrorKind::usage, "the trie is wrong: " + *difference);
  }
  return plain_digest(trie.renaming(), table);
}

void time_trie(benchmark::State& state, const KeyTable& table, const TransformList& list,
               const ShapeKernel& kernel, bool fresh_memory) {
  const TransformTrie trie(compile(list));
  const Digest expected = checked_digest(trie, table, kernel);
  RenamedKeys renamed;
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
  if (digest_of(renamed.text()) != expected) state.SkipWithError("the result's digest is wrong");
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
              bool plain_too) {
  const std::string suffix = name + "/" + list_name;
  add("trie/" + suffix, [=](benchmark::State& s) { time_trie(s, *table, *list, best_kernel(), false); });
  add("trie_fresh_memory/" + suffix,
      [=](benchmark::State& s) { time_trie(s, *table, *list, best_kernel(), true); });
  if (&best_kernel() != &portable_kernel()) {
    add("trie_portable/" + suffix,
        [=](benchmark::State& s) { time_trie(s, *table, *list, portable_kernel(), false); });
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
    for (const bool shuffle : {false, true}) {
      const auto keys = std::make_shared<const KeyTable>(shuffle ? shuffled(table.keys) : table.keys);
      const std::string name = table.name + (shuffle ? "/shuffled" : "/in_order");
      add("memcpy/" + name, [=](benchmark::State& s) { time_memcpy(s, *keys); });
      for (const NamedList& list : all_lists) {
        add_rows(name, keys, list.name, list.list, list.plain_too && !shuffle);
      }
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
    std::fprintf(stderr, "rules-bench: %s\n", error.what());
    return 3;
  }
  return 0;
}
