// Renaming throughput: the trie in table order and shuffled, beside rule by rule and memcpy.
//
//     rules_bench [--keys FILE] [--transforms FILE] [Google Benchmark's options]
//     rules_bench --print-keys MODEL | --print-transforms COUNT
//
// Every row of the trie is a whole first pass: a new RenameRun learns its shapes, and every byte of the
// result is written. The tables are those of five published models; --keys adds one (a key a line),
// --transforms a list, and each may be repeated. The --print options write a table or a list, for others to
// measure with.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "model_tables.h"
#include "transform_lists.h"
#include "transforms/shape_kernel.h"
#include "transforms/throughput.h"
#include "transforms/transform_file.h"
#include "transforms/transform_trie.h"

namespace keyshift::bench {
namespace {

using Keys = std::shared_ptr<const KeyBlock>;
using List = std::shared_ptr<const TransformList>;

std::shared_ptr<const Renaming> compile(const TransformList& list) {
  return std::make_shared<const Renaming>(list, RenamingOptions{});
}

void count(benchmark::State& state, const KeyBlock& table) {
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
  Digest digest(const KeyBlock& table) {
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

void time_trie(benchmark::State& state, const KeyBlock& table, const TransformList& list,
               PlainAnswers& answers, const ShapeKernel& kernel, bool fresh_memory) {
  const TransformTrie trie(compile(list));
  RenamedKeys renamed;
  first_pass(trie, kernel, table.keys(), renamed);
  if (digest_of(renamed.text()) != answers.digest(table)) {
    state.SkipWithError("the trie's result is not that of rule by rule");
    return;
  }
  std::size_t shapes = 0;
  for ([[maybe_unused]] auto round : state) {
    if (fresh_memory) {
      renamed = RenamedKeys();
    } else {
      renamed.clear();
    }
    shapes = first_pass(trie, kernel, table.keys(), renamed);
    benchmark::ClobberMemory();
  }
  state.counters["shapes"] = static_cast<double>(shapes);
  count(state, table);
}

void time_plain(benchmark::State& state, const KeyBlock& table, const TransformList& list) {
  const auto renaming = compile(list);
  for ([[maybe_unused]] auto round : state) {
    PlainRun run(*renaming);
    for (const std::string_view key : table.keys()) benchmark::DoNotOptimize(run.rename(key));
  }
  count(state, table);
}

/// The ceiling: the same bytes to one block, and nothing else.
void time_memcpy(benchmark::State& state, const KeyBlock& table) {
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
  benchmark::RegisterBenchmark(name.c_str(), std::move(body))->Unit(benchmark::kMillisecond)->MinTime(0.2);
}

void add_rows(const std::string& name, const Keys& table, const std::string& list_name, const List& list,
              const Answers& answers, bool plain_too) {
  const std::string suffix = name + "/" + list_name;
  add("trie/" + suffix,
      [=](benchmark::State& s) { time_trie(s, *table, *list, *answers, best_kernel(), false); });
  add("trie_fresh_memory/" + suffix,
      [=](benchmark::State& s) { time_trie(s, *table, *list, *answers, best_kernel(), true); });
  if (const ShapeKernel* kernel = avx2_kernel(); kernel != nullptr && kernel != &best_kernel()) {
    add("trie_avx2/" + suffix,
        [=](benchmark::State& s) { time_trie(s, *table, *list, *answers, *kernel, false); });
  }
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

struct Arguments {
  std::vector<std::string> key_files, transform_files;
  std::string print_keys, print_transforms;
};

// Takes the options that are not Google Benchmark's out of `argv`.
Arguments parse(int& argc, char** argv) {
  Arguments arguments;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&] {
      if (++i == argc) throw std::runtime_error(option + " needs a value");
      return std::string(argv[i]);
    };
    if (option == "--keys") {
      arguments.key_files.push_back(value());
    } else if (option == "--transforms") {
      arguments.transform_files.push_back(value());
    } else if (option == "--print-keys") {
      arguments.print_keys = value();
    } else if (option == "--print-transforms") {
      arguments.print_transforms = value();
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  return arguments;
}

std::vector<std::string> read_keys(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot open " + path);
  std::vector<std::string> keys;
  for (std::string line; std::getline(in, line);) keys.push_back(line);
  return keys;
}

std::vector<NamedTable> tables(const Arguments& arguments) {
  std::vector<NamedTable> all;
  for (const std::string_view name : model_names()) all.push_back({std::string(name), model_keys(name)});
  for (const std::string& path : arguments.key_files) all.push_back({path, read_keys(path)});
  return all;
}

std::vector<NamedList> lists(const Arguments& arguments) {
  std::vector<NamedList> all;
  for (const std::size_t count : {2, 10, 100, 1'000, 10'000}) {
    all.push_back({std::to_string(count), std::make_shared<TransformList>(transforms(count)), count <= 100});
  }
  all.push_back({"100_with_numbers", std::make_shared<TransformList>(transforms_with_numbers(100)), true});
  for (const std::string& path : arguments.transform_files)
    all.push_back({path, std::make_shared<TransformList>(read_transforms(path)), true});
  return all;
}

void add_all(const Arguments& arguments) {
  const std::vector<NamedList> all_lists = lists(arguments);
  for (const NamedTable& table : tables(arguments)) {
    const std::vector<std::string_view> keys(table.keys.begin(), table.keys.end());
    const auto in_order = std::make_shared<const KeyBlock>(keys);
    const auto out_of_order = std::make_shared<const KeyBlock>(shuffled(keys));
    for (const auto& [name, block] :
         {std::pair(table.name + "/in_order", in_order), std::pair(table.name + "/shuffled", out_of_order)}) {
      add("memcpy/" + name, [block = block](benchmark::State& s) { time_memcpy(s, *block); });
    }
    for (const NamedList& list : all_lists) {
      // One after another, which is what each answer is held against, takes a minute a table.
      if (list.list->transforms.size() >= 10'000 && table.name != "deepseek-v3") continue;
      const auto answers = std::make_shared<PlainAnswers>(table.keys, list.list);
      add_rows(table.name + "/in_order", in_order, list.name, list.list, answers, list.plain_too);
      add_rows(table.name + "/shuffled", out_of_order, list.name, list.list, answers, false);
    }
  }
  for (const NamedList& list : all_lists) {
    add("compile/" + list.name, [list](benchmark::State& s) { time_compile(s, *list.list); });
  }
}

int run(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  if (!arguments.print_keys.empty()) {
    for (const std::string& key : model_keys(arguments.print_keys)) std::printf("%s\n", key.c_str());
    return 0;
  }
  if (!arguments.print_transforms.empty()) {
    std::fputs(write_transforms(transforms(std::stoul(arguments.print_transforms))).c_str(), stdout);
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  add_all(arguments);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace keyshift::bench

int main(int argc, char** argv) {
  try {
    return keyshift::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rules_bench: %s\n", error.what());
    return 3;
  }
}
