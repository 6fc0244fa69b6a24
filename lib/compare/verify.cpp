#include "compare/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/file_system.h"
#include "base/parallel.h"
#include "compare/same_bytes.h"
#include "format/config_modules.h"

namespace keyshift {

namespace {

struct Place {
  const Shard* shard = nullptr;
  const TensorInfo* tensor = nullptr;
};

struct Expected {
  std::string key;  // the new one
  Place source;
};

// Every tensor of the source that is to be kept, under the name that the transforms, one by one, give it.
std::vector<Expected> expected_tensors(const Checkpoint& source, const Renaming& renaming,
                                       const Subset& subset) {
  std::vector<Place> places;
  for (const Shard& shard : source.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) {
      if (subset.keeps(tensor.key)) places.push_back({&shard, &tensor});
    }
  }
  if (renaming.is_stateful()) {
    std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
      return dot_natural_less(a.tensor->key, b.tensor->key);
    });
  }
  PlainRun run(renaming);
  std::vector<Expected> expected;
  expected.reserve(places.size());
  RenameOutcome outcome;
  for (const Place& place : places) {
    std::string key = run.rename(place.tensor->key, &outcome);
    if (!outcome.dropped) expected.push_back({std::move(key), place});
  }
  return expected;
}

std::unordered_map<std::string_view, Place> tensors_by_key(const Checkpoint& checkpoint) {
  std::unordered_map<std::string_view, Place> table;
  table.reserve(checkpoint.tensor_count());
  for (const Shard& shard : checkpoint.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors())
      table.emplace(tensor.key, Place{&shard, &tensor});
  }
  return table;
}

// A revision names a snapshot in the source's hub cache; the destination has none.
OpenOptions for_destination(OpenOptions open) {
  open.revision.clear();
  return open;
}

std::string shape_text(std::span<const std::uint64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

class Verification {
 public:
  Verification(const VerifyRequest& request, const std::function<void(std::uint64_t)>& advance,
               const Interrupt& interrupt)
      : request_(request),
        advance_(advance),
        interrupt_(interrupt),
        source_(Checkpoint::open(request.source, request.open)),
        destination_(Checkpoint::open(request.destination, for_destination(request.open))),
        renaming_(request.transforms, request.renaming),
        expected_(expected_tensors(source_, renaming_, Subset(request.subset))),
        found_(tensors_by_key(destination_)) {}

  VerifyResult run() {
    compare_tables();
    compare_bytes();
    compare_metadata();
    compare_index();
    if (!source_.place().is_single_file && !destination_.place().is_single_file) compare_side_files();
    return std::move(result_);
  }

 private:
  void report(std::string kind, std::string file, std::string_view key, std::string message) {
    const std::lock_guard guard(lock_);
    result_.findings.push_back({std::move(kind), std::move(file), std::string(key), std::move(message)});
  }

  void compare_tables();
  void compare_pair(const Expected& expected, const Place& found);
  void compare_bytes();
  void compare_metadata();
  void compare_index();
  void compare_side_files();
  void compare_config();

  const VerifyRequest& request_;
  const std::function<void(std::uint64_t)>& advance_;
  const Interrupt& interrupt_;
  Checkpoint source_, destination_;
  Renaming renaming_;
  std::vector<Expected> expected_;
  std::unordered_map<std::string_view, Place> found_;
  std::vector<std::pair<Place, Place>> pairs_;  // same name, dtype and shape: bytes are to be compared
  std::mutex lock_;
  VerifyResult result_;
};

void Verification::compare_tables() {
  std::unordered_map<std::string_view, const Expected*> seen;
  seen.reserve(expected_.size());
  for (const Expected& expected : expected_) {
    const auto [other, is_new] = seen.emplace(expected.key, &expected);
    if (!is_new && other->second->source.tensor->key == expected.source.tensor->key)
      continue;  // F27: in two shards
    if (!is_new) {
      report("collision", expected.source.shard->name(), expected.key,
             fmt::format("{} and {} both become this key", quote(other->second->source.tensor->key),
                         quote(expected.source.tensor->key)));
      continue;
    }
    const auto found = found_.find(expected.key);
    if (found == found_.end()) {
      report(
          "missing", expected.source.shard->name(), expected.key,
          fmt::format("{} of the source should be there under this key", quote(expected.source.tensor->key)));
    } else {
      compare_pair(expected, found->second);
    }
  }
  for (const Shard& shard : destination_.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) {
      if (!seen.contains(tensor.key))
        report("extra", shard.name(), tensor.key, "no key of the source becomes this one");
    }
  }
  result_.tensors = pairs_.size();
}

void Verification::compare_pair(const Expected& expected, const Place& found) {
  const TensorInfo& was = *expected.source.tensor;
  const TensorInfo& is = *found.tensor;
  const std::string& file = found.shard->name();
  if (was.dtype != is.dtype) {
    report("dtype", file, is.key, fmt::format("is {}, was {}", name(is.dtype), name(was.dtype)));
  } else if (!std::ranges::equal(was.shape, is.shape)) {
    report("shape", file, is.key, fmt::format("is {}, was {}", shape_text(is.shape), shape_text(was.shape)));
  } else {
    pairs_.emplace_back(expected.source, found);
  }
}

void Verification::compare_bytes() {
  std::atomic<std::uint64_t> compared{0};
  for_each_parallel(pairs_.size(), request_.jobs, [&](std::size_t i) {
    const auto& [was, is] = pairs_[i];
    const FileRange a{was.shard->file().descriptor(), was.shard->file().path(),
                      was.shard->header().data_start() + was.tensor->begin, was.tensor->size()};
    const FileRange b{is.shard->file().descriptor(), is.shard->file().path(),
                      is.shard->header().data_start() + is.tensor->begin, is.tensor->size()};
    const auto difference = first_difference(a, b, advance_, interrupt_);
    compared += was.tensor->size();
    if (difference) {
      report("bytes", is.shard->name(), is.tensor->key,
             fmt::format("differs from {} at byte {} of the tensor", quote(was.tensor->key), *difference));
    }
  });
  result_.bytes = compared;
}

// What `metadata` lacks, has too much or has otherwise than the source shards whose tensors it goes with: it
// is to hold every entry of theirs, with the value that one of them has.
std::string metadata_fault(const std::optional<Metadata>& metadata, const std::set<const Shard*>& sources) {
  std::map<std::string_view, std::set<std::string_view>> values;
  bool any = false;
  for (const Shard* source : sources) {
    const std::optional<Metadata>& theirs = source->header().metadata();
    if (!theirs) continue;
    any = true;
    for (const auto& [name, value] : *theirs) values[name].insert(value);
  }
  if (!metadata && !any) return {};
  if (!metadata) return "is missing";
  if (!any) return "is there, and the source has none";
  std::set<std::string_view> there;
  for (const auto& [name, value] : *metadata) {
    const auto expected = values.find(name);
    if (expected == values.end()) return fmt::format("{} is not in the source", quote(name));
    if (!expected->second.contains(value)) return fmt::format("{} has another value", quote(name));
    there.insert(name);
  }
  for (const auto& [name, value] : values) {
    if (!there.contains(name)) return fmt::format("{} is missing", quote(name));
  }
  return {};
}

void Verification::compare_metadata() {
  std::map<const Shard*, std::set<const Shard*>> sources;
  for (const auto& [was, is] : pairs_) sources[is.shard].insert(was.shard);
  for (const Shard& shard : destination_.shards()) {
    const auto found = sources.find(&shard);
    if (found == sources.end()) continue;
    const std::string fault = metadata_fault(shard.header().metadata(), found->second);
    if (fault.empty()) continue;
    const std::string source =
        found->second.size() == 1
            ? quote((*found->second.begin())->name())
            : fmt::format("the {} shards that its tensors come from", found->second.size());
    report("metadata", shard.name(), "",
           fmt::format("__metadata__ differs from that of {}: {}", source, fault));
  }
}

void Verification::compare_index() {
  if (!destination_.index()) {
    if (source_.index() && destination_.shards().size() > 1) {
      report("index", "", "", "there is no index, where the source has one");
    }
    return;
  }
  const std::string& file = *destination_.place().index_name;
  std::unordered_map<std::string_view, std::string_view> listed;
  for (const auto& [key, shard] : destination_.index()->weight_map) listed.emplace(key, shard);
  for (const Shard& shard : destination_.shards()) {
    for (const TensorInfo& tensor : shard.header().tensors()) {
      const auto entry = listed.find(tensor.key);
      if (entry == listed.end()) {
        report("index", file, tensor.key, fmt::format("is in {} but not in the index", quote(shard.name())));
      } else if (entry->second != shard.name()) {
        report("index", file, tensor.key,
               fmt::format("is in {}, but the index says {}", quote(shard.name()), quote(entry->second)));
      }
    }
  }
  const auto total = destination_.index()->total_size;
  if (total && *total != destination_.total_size()) {
    report("index", file, "",
           fmt::format("total_size is {}, the tensors have {} bytes", *total, destination_.total_size()));
  }
}

// The source's file with the names that this table, not the engine's, gives its modules.
void Verification::compare_config() {
  constexpr std::uint64_t kMaxConfig = 64U << 20U;  // bytes
  const std::string name(kConfigName);
  std::vector<RenamedTensor> tensors;
  for (const Expected& expected : expected_) tensors.push_back({expected.source.tensor->key, expected.key});
  const std::string was = read_small_file(source_.place().folder / name, kMaxConfig);
  const std::string is = read_small_file(destination_.place().folder / name, kMaxConfig);
  const std::string expected = rewrite_config(was, tensors, (source_.place().folder / name).string()).text;
  if (is == expected) return;
  const auto place = std::mismatch(is.begin(), is.end(), expected.begin(), expected.end());
  report("side_file", name, "",
         fmt::format("differs at byte {} from the source's with its module names renamed",
                     place.first - is.begin()));
}

void Verification::compare_side_files() {
  const std::vector<std::string>& there = destination_.place().side_files;
  for (const std::string& name : source_.place().side_files) {
    if (std::find(there.begin(), there.end(), name) == there.end()) {
      report("side_file", name, "", "is missing");
      continue;
    }
    result_.side_files += 1;
    if (request_.rewrite_config && name == kConfigName) {
      compare_config();
      continue;
    }
    const MappedFile was = MappedFile::open(source_.place().folder / name);
    const MappedFile is = MappedFile::open(destination_.place().folder / name);
    if (was.size() != is.size()) {
      report("side_file", name, "",
             fmt::format("has {} bytes, where the source has {}", is.size(), was.size()));
      continue;
    }
    const auto difference =
        first_difference({was.descriptor(), was.path(), 0, was.size()},
                         {is.descriptor(), is.path(), 0, is.size()}, advance_, interrupt_);
    if (difference)
      report("side_file", name, "", fmt::format("differs from the source at byte {}", *difference));
  }
}

}  // namespace

VerifyResult verify(const VerifyRequest& request, const std::function<void(std::uint64_t)>& advance,
                    const Interrupt& interrupt) {
  return Verification(request, advance, interrupt).run();
}

}  // namespace keyshift
