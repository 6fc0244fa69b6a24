#include "format/checkpoint_lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file_system.h"
#include "base/parallel.h"
#include "format/boundary.h"
#include "format/file_names.h"
#include "format/find_checkpoint.h"
#include "format/key_lint.h"
#include "format/shard_checks.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMaxIndexSize = std::uint64_t{1} << 30U;  // bytes

fs::path folder_of(const fs::path& path, const OpenOptions& options) {
  if (fs::is_directory(path)) return is_hub_cache(path) ? snapshot_folder(path, options.revision) : path;
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  fs::directory_iterator at(folder, failure);
  for (; !failure && at != fs::directory_iterator(); at.increment(failure)) {
    names.push_back(at->path().filename().string());
  }
  if (failure) throw io_error("cannot list", failure.value()).in(folder.string());
  std::sort(names.begin(), names.end());
  return names;
}

class CheckpointLint {
 public:
  CheckpointLint(const fs::path& path, const OpenOptions& options) : path_(path), options_(options) {
    options_.tolerate_index_mismatch = true;
  }

  LintedCheckpoint run() {
    find();
    open_shards();
    if (!found_.place.is_single_file) look_at_names();
    lint_keys(out_.shards, unreadable_, found_.index, found_.place.index_name.value_or(""), out_.findings);
    check_total_size();
    out_.place = std::move(found_.place);
    std::stable_sort(out_.findings.begin(), out_.findings.end(),
                     [](const auto& a, const auto& b) { return a.fault < b.fault; });
    return std::move(out_);
  }

 private:
  void add(CheckpointFault fault, std::string file, std::string message) {
    out_.findings.push_back({fault, std::move(file), std::nullopt, 1, std::move(message)});
  }

  void find() {
    try {
      found_ = locate_checkpoint(path_, options_);
      for (const std::string& warning : found_.place.warnings) tell(warning);
    } catch (const Error& error) {
      find_what_there_is(error);
    }
    if (!found_.index && found_.place.shard_names.size() > 1 && !index_told_of_) {
      add(CheckpointFault::index_missing, "",
          fmt::format("{} shards and no index; `keyshift reindex` writes it",
                      found_.place.shard_names.size()));
    }
  }

  // What was put up with in order to open it (F29) is told by its own kind.
  void tell(const std::string& warning) {
    if (warning.starts_with("there is no index")) return;  // counted in find()
    const bool unusable = warning.starts_with("the index cannot be used: ");
    index_told_of_ = index_told_of_ || unusable;
    add(unusable ? CheckpointFault::index_unusable : CheckpointFault::odd, "", warning);
  }

  // No loader would take it. What can be said of its files is said all the same.
  void find_what_there_is(const Error& error) {
    const bool about_files = error.kind() == ErrorKind::shard_missing ||
                             error.kind() == ErrorKind::index_invalid ||
                             error.kind() == ErrorKind::shard_name_unsafe;
    if (!about_files && error.kind() != ErrorKind::checkpoint_ambiguous) throw Error(error);
    found_.place.folder = folder_of(path_, options_);
    std::vector<std::string> shards, indexes;
    for (std::string& name : names_in(found_.place.folder)) {
      if (is_safetensors_index(name)) indexes.push_back(name);
      if (name.ends_with(".safetensors") && !is_own(name)) shards.push_back(std::move(name));
    }
    if (!about_files && !all_of_one_set(shards)) throw Error(error);
    if (path_.extension() == ".json") indexes = {path_.filename().string()};
    if (indexes.size() == 1) take_index(indexes.front(), error);
    if (!found_.index) found_.place.shard_names = std::move(shards);
  }

  static bool all_of_one_set(const std::vector<std::string>& names) {
    std::set<std::pair<std::string, std::uint64_t>> sets;
    for (const std::string& name : names) {
      const auto shard = parse_shard_number(name);
      if (!shard) return false;
      sets.emplace(shard->set, shard->count);
    }
    return sets.size() == 1;
  }

  void take_index(const std::string& name, const Error& error) {
    index_told_of_ = true;
    try {
      if (!Boundary(found_.place.folder).is_file(name)) throw Error(error);
      const std::string file = (found_.place.folder / name).string();
      found_.index = read_index(read_small_file(file, kMaxIndexSize), file);
      found_.place.index_name = name;
      found_.place.shard_names = found_.index->shard_names();
      // Missing shards are told one by one; everything else only here.
      if (error.kind() != ErrorKind::shard_missing) add(CheckpointFault::index_unusable, name, error.what());
    } catch (const Error& fault) {
      add(CheckpointFault::index_unusable, name, fault.what());
    }
  }

  void open_shards() {
    const std::vector<std::string>& names = found_.place.shard_names;
    const Boundary boundary(found_.place.folder);
    std::vector<std::optional<Shard>> opened(names.size());
    std::vector<std::string> failures(names.size());
    std::vector<CheckpointFault> faults(names.size(), CheckpointFault::shard_unreadable);
    for_each_parallel(names.size(), options_.jobs, [&](std::size_t i) {
      // A file that was named directly may be a link to anywhere (F26).
      const auto finding = boundary.look_at(names[i]);
      if (!found_.place.is_single_file && finding.verdict != Boundary::Verdict::file) {
        if (finding.verdict == Boundary::Verdict::missing) faults[i] = CheckpointFault::shard_missing;
        failures[i] = fmt::format("the shard {}", finding.verdict == Boundary::Verdict::missing
                                                      ? "is not there: fetch the file"
                                                      : finding.what);
        return;
      }
      try {
        opened[i] = Shard::open(found_.place.folder / names[i], names[i]);
      } catch (const Error& error) {
        if (category(error.kind()) != ErrorCategory::input) throw;
        failures[i] = error.message();
      }
    });
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!opened[i]) {
        unreadable_.insert(names[i]);
        add(faults[i], names[i], std::move(failures[i]));
        continue;
      }
      for (const std::string& odd : oddities(*opened[i])) add(CheckpointFault::odd, names[i], odd);
      out_.shards.push_back(std::move(*opened[i]));
    }
  }

  // Shards of a numbered set that should be there, and those that should not.
  void look_at_names() {
    std::map<std::pair<std::string, std::uint64_t>, std::set<std::uint64_t>> sets;
    for (const std::string& name : found_.place.shard_names) {
      if (const auto shard = parse_shard_number(name)) sets[{shard->set, shard->count}].insert(shard->number);
    }
    for (const auto& [set, numbers] : sets) {
      if (numbers.size() >= set.second) continue;
      add(CheckpointFault::shard_missing, "",
          fmt::format("the names tell of {} shards, and {} are here or named by the index", set.second,
                      numbers.size()));
    }
    for (const std::string& name : found_.place.other_weights) {
      if (!name.ends_with(".safetensors") || name.find('/') != std::string::npos) continue;
      const auto shard = parse_shard_number(name);
      if (!shard || sets.empty()) continue;
      add(CheckpointFault::shard_stray, name,
          "the shard lies among the others, and the index does not name it");
    }
  }

  void check_total_size() {
    if (!found_.index || !unreadable_.empty()) return;
    std::uint64_t sum = 0;
    for (const Shard& shard : out_.shards) sum += shard.header().data_size();
    const std::optional<std::uint64_t> claimed = found_.index->total_size;
    if (claimed == sum) return;
    add(CheckpointFault::total_size, *found_.place.index_name,
        claimed ? fmt::format("metadata.total_size is {}, and the tensors have {} bytes", *claimed, sum)
                : fmt::format("there is no metadata.total_size; the tensors have {} bytes", sum));
  }

  const fs::path& path_;
  OpenOptions options_;
  FoundCheckpoint found_;
  NameSet unreadable_;
  bool index_told_of_ = false;
  LintedCheckpoint out_;
};

}  // namespace

std::string_view name(CheckpointFault fault) noexcept {
  switch (fault) {
    case CheckpointFault::index_missing:
      return "index_missing";
    case CheckpointFault::index_unusable:
      return "index_unusable";
    case CheckpointFault::shard_missing:
      return "shard_missing";
    case CheckpointFault::shard_unreadable:
      return "shard_unreadable";
    case CheckpointFault::shard_stray:
      return "shard_stray";
    case CheckpointFault::key_missing:
      return "key_missing";
    case CheckpointFault::key_elsewhere:
      return "key_elsewhere";
    case CheckpointFault::key_unlisted:
      return "key_unlisted";
    case CheckpointFault::key_in_two_shards:
      return "key_in_two_shards";
    case CheckpointFault::total_size:
      return "total_size";
    case CheckpointFault::odd:
      return "odd";
  }
  return "";
}

LintedCheckpoint lint_checkpoint(const fs::path& path, const OpenOptions& options) {
  return CheckpointLint(path, options).run();
}

}  // namespace keyshift
