#include "format/find_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "format/boundary.h"
#include "format/file_names.h"
#include "format/journal_names.h"
#include "format/side_files.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMaxIndexSize = std::uint64_t{1} << 30U;  // bytes
constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 24U;

// The stems under which transformers, PEFT and diffusers save weights.
constexpr std::array<std::string_view, 3> kStems = {"model", "adapter_model", "diffusion_pytorch_model"};

std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
    out += (i > 0 ? ", " : "") + quote(names[i]);
  return names.size() > kShown ? out + fmt::format(" and {} more", names.size() - kShown) : out;
}

class Search {
 public:
  Search(fs::path folder, const OpenOptions& options)
      : options_(options), folder_(std::move(folder)), boundary_(folder_) {
    found_.place.folder = folder_;
    found_.place.hub_cache = boundary_.hub_cache();
  }

  FoundCheckpoint single_file(const std::string& name) {
    refuse_journals(folder_, {name});
    found_.place.shard_names = {name};
    found_.place.is_single_file = true;
    return std::move(found_);
  }

  FoundCheckpoint from_index(const std::string& name) {
    refuse_journals(folder_, {});
    take_index(name);
    add_surroundings();
    return std::move(found_);
  }

  FoundCheckpoint from_folder() {
    refuse_journals(folder_, {});
    if (!take_named_by_config() && !take_usual()) take_only_one();
    add_surroundings();
    return std::move(found_);
  }

 private:
  [[noreturn]] void fail(ErrorKind kind, std::string message) const {
    throw Error(kind, std::move(message)).in(folder_.string());
  }

  // --- what is there

  // Names in the folder itself, sorted, that `wanted` says yes to.
  template <class Wanted>
  std::vector<std::string> names_in_folder(Wanted wanted) const {
    std::vector<std::string> names;
    std::error_code failure;
    fs::directory_iterator at(folder_, failure);
    for (; !failure && at != fs::directory_iterator(); at.increment(failure)) {
      std::string name = at->path().filename().string();
      if (wanted(name)) names.push_back(std::move(name));
    }
    if (failure) throw io_error("cannot list", failure.value()).in(folder_.string());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::vector<std::string> safetensors_in_folder() const {
    return names_in_folder(
        [](std::string_view name) { return name.ends_with(".safetensors") && !is_own(name); });
  }

  // There is a file of that name; one that may not be followed is refused when it is taken.
  bool exists(const std::string& name) const {
    const auto verdict = boundary_.look_at(name).verdict;
    return verdict == Boundary::Verdict::file || verdict == Boundary::Verdict::outside;
  }

  // --- which of it is meant

  void take_file(const std::string& name) { found_.place.shard_names = {name}; }

  // config.json may name the weights ("transformers_weights").
  bool take_named_by_config() {
    if (!boundary_.is_file("config.json")) return false;
    std::string name;
    try {
      const json::Node config =
          json::parse(read_small_file(folder_ / "config.json", kMaxConfigSize), {.file = "config.json"});
      const json::Node* weights = config.find("transformers_weights");
      if (weights == nullptr || weights->kind != json::Kind::string) return false;
      name = weights->text;
    } catch (const Error&) {
      return false;  // it is carried along as it is; what is in it is not ours to judge
    }
    const bool is_index = name.ends_with(".safetensors.index.json");
    const std::string reason = unsafe_shard_name(
        is_index ? name.substr(0, name.size() - std::string_view(".index.json").size()) : name);
    if (!reason.empty()) {
      fail(ErrorKind::shard_name_unsafe, fmt::format("config.json names the weights in transformers_weights, "
                                                     "and {} {}: such a path is never followed",
                                                     quote(name), reason));
    }
    if (is_index) {
      take_index(name);
    } else {
      take_file(name);
    }
    return true;
  }

  // In the order in which transformers looks: the single file, then the index.
  bool take_usual() {
    for (const std::string_view stem : kStems) {
      const std::string file = with_variant(std::string(stem) + ".safetensors", options_.variant);
      const std::string index = first_existing(index_names(stem, options_.variant));
      if (exists(file)) {
        if (!index.empty()) {
          found_.place.warnings.push_back(fmt::format(
              "{} and {} are both here: as transformers does, the single file is taken and the index is "
              "left out",
              file, index));
        }
        take_file(file);
        return true;
      }
      if (!index.empty()) {
        take_index_or_set(index);
        return true;
      }
    }
    return false;
  }

  std::string first_existing(const std::vector<std::string>& names) const {
    const auto at = std::find_if(names.begin(), names.end(), [&](const auto& name) { return exists(name); });
    return at == names.end() ? std::string() : *at;
  }

  // No usual name: what is left must be the only one of its kind.
  void take_only_one() {
    const auto files = safetensors_in_folder();
    if (!options_.variant.empty()) {
      fail(ErrorKind::checkpoint_not_found,
           fmt::format("there is no checkpoint of the variant {}; the folder holds {}",
                       quote(options_.variant), files.empty() ? "no .safetensors file" : list(files)));
    }
    const auto indexes = names_in_folder([](std::string_view name) { return is_safetensors_index(name); });
    if (indexes.size() == 1) return take_index_or_set(indexes.front());
    if (indexes.size() > 1) {
      fail(ErrorKind::checkpoint_ambiguous,
           fmt::format("it holds {} indexes, {}: name the one that is meant", indexes.size(), list(indexes)));
    }
    if (files.empty()) fail_without_weights();
    if (files.size() == 1) return take_file(files.front());
    const auto set = shards_by_name(files);
    if (set.empty()) {
      fail(ErrorKind::checkpoint_ambiguous,
           fmt::format("it holds {} .safetensors files and no index, {}: name the one that is meant",
                       files.size(), list(files)));
    }
    if (options_.tolerate_index_mismatch) {
      found_.place.shard_names = set;
      found_.place.warnings.push_back(
          fmt::format("there is no index for the {} shards {}", set.size(), list(set)));
      return;
    }
    fail(ErrorKind::checkpoint_ambiguous, fmt::format("it holds {} shards and no index, {}: no loader takes "
                                                      "them like that; `keyshift reindex` writes the "
                                                      "index",
                                                      set.size(), list(set)));
  }

  [[noreturn]] void fail_without_weights() const {
    const auto others = names_in_folder([](std::string_view name) { return is_weights(name); });
    if (!others.empty()) {
      fail(
          ErrorKind::checkpoint_not_found,
          fmt::format("it holds no .safetensors file, only other weights, {}: save them as safetensors first",
                      list(others)));
    }
    const auto components = names_in_folder([&](const std::string& name) {
      std::error_code ignored;
      if (!fs::is_directory(folder_ / name, ignored)) return false;
      return std::any_of(kStems.begin(), kStems.end(), [&](auto stem) {
        const fs::path file = folder_ / name / (std::string(stem) + ".safetensors");
        return fs::exists(file, ignored) || fs::exists(file.string() + ".index.json", ignored);
      });
    });
    if (!components.empty()) {
      fail(ErrorKind::checkpoint_not_found,
           fmt::format("it holds no weights itself, but its folders do, {}: name one of them",
                       list(components)));
    }
    fail(ErrorKind::checkpoint_not_found, "it holds no .safetensors file");
  }

  // --- taking it

  void take_index(const std::string& name) {
    const std::string file_name = (folder_ / name).string();
    const Boundary::Finding finding = boundary_.look_at(name);
    if (finding.verdict == Boundary::Verdict::outside) {
      throw Error(ErrorKind::shard_name_unsafe, fmt::format("the index {}: it is not followed", finding.what))
          .in(file_name);
    }
    if (finding.verdict == Boundary::Verdict::no_file) {
      throw Error(ErrorKind::index_invalid, fmt::format("the index {}, and it must be a file", finding.what))
          .in(file_name);
    }
    found_.index_text = index_file(folder_ / name);
    found_.index = read_index(found_.index_text, file_name);
    found_.place.index_name = name;
    found_.place.shard_names = found_.index->shard_names();
    for (const std::string& warning : found_.index->warnings) {
      found_.place.warnings.push_back(fmt::format("{}: {}", name, warning));
    }
    check_shards();
  }

  SharedText index_file(const fs::path& path) const {
    auto file = std::make_shared<MappedFile>(MappedFile::open(path, options_.access));
    refuse_larger(path, file->size(), kMaxIndexSize);
    file->populate(0, file->size());
    const auto text = file->bytes();
    return {{reinterpret_cast<const char*>(text.data()), text.size()}, std::move(file)};
  }

  // Who is to mend the index must be able to open what it describes badly.
  void take_index_or_set(const std::string& name) {
    if (!options_.tolerate_index_mismatch) return take_index(name);
    try {
      take_index(name);
      if (options_.complete_the_set) take_the_whole_set();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::io) throw;
      const auto set = shards_by_name(safetensors_in_folder());
      if (set.empty()) throw;
      found_.index.reset();
      found_.index_text = {};
      found_.place.index_name.reset();
      found_.place.shard_names = set;
      found_.place.warnings.push_back(fmt::format("the index cannot be used: {}", error.what()));
    }
  }

  // An index that was written before the last shard had come names a part of the set.
  void take_the_whole_set() {
    std::vector<std::string>& named = found_.place.shard_names;
    const auto first =
        std::ranges::find_if(named, [](const auto& name) { return parse_shard_number(name).has_value(); });
    if (first == named.end()) return;
    const std::string of = parse_shard_number(*first)->set;
    const auto set = shards_by_name(names_in_folder([&](const std::string& name) {
      const auto number = parse_shard_number(name);
      return number && number->set == of && name.ends_with(".safetensors");
    }));
    std::vector<std::string> all;
    std::ranges::set_union(named, set, std::back_inserter(all));
    if (all.size() == named.size()) return;
    found_.place.warnings.push_back(fmt::format("{}: leaves out {} of the {} shards of a set; all are taken",
                                                *found_.place.index_name, all.size() - named.size(),
                                                set.size()));
    named = std::move(all);
  }

  void check_shards() const {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> seen;
    for (const std::string& name : found_.place.shard_names) {
      const Boundary::Finding finding = boundary_.look_at(name);
      check_shard(name, finding);
      const auto [at, is_new] = seen.try_emplace({finding.device, finding.inode}, name);
      if (is_new) continue;
      throw Error(ErrorKind::index_invalid,
                  fmt::format("{} and {} are one file under two names: it would be read and written twice",
                              quote(at->second), quote(name)))
          .in(folder_.string());
    }
  }

  void check_shard(const std::string& name, const Boundary::Finding& finding) const {
    const std::string file_name = (folder_ / name).string();
    switch (finding.verdict) {
      case Boundary::Verdict::file:
        return;
      case Boundary::Verdict::missing:
        throw Error(
            ErrorKind::shard_missing,
            fmt::format(
                "the shard{} cannot be found ({}): the download is not complete, fetch the file",
                found_.place.index_name ? fmt::format(" that {} names", quote(*found_.place.index_name)) : "",
                finding.what))
            .in(file_name);
      case Boundary::Verdict::outside:
        throw Error(
            ErrorKind::shard_name_unsafe,
            fmt::format("the shard {}: it is not followed; copy the file into the folder", finding.what))
            .in(file_name);
      case Boundary::Verdict::no_file:
        throw Error(ErrorKind::shard_name_unsafe,
                    fmt::format("the shard {}, and it must be a file", finding.what))
            .in(file_name);
    }
  }

  // --- and what lies around it

  void add_surroundings() {
    refuse_journals(folder_, found_.place.shard_names);
    check_shards();
    CheckpointPlace& place = found_.place;
    FolderContents contents = list_folder(folder_, boundary_);
    place.side_files = std::move(contents.side_files);
    std::set_difference(contents.weights.begin(), contents.weights.end(), place.shard_names.begin(),
                        place.shard_names.end(), std::back_inserter(place.other_weights));
    place.warnings.insert(place.warnings.end(), contents.warnings.begin(), contents.warnings.end());
  }

  const OpenOptions& options_;
  fs::path folder_;
  Boundary boundary_;
  FoundCheckpoint found_;
};

FoundCheckpoint locate_file(const fs::path& path, const OpenOptions& options) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::string name = path.filename().string();
  if (name.ends_with(".safetensors")) return Search(folder, options).single_file(name);
  if (name.ends_with(".json")) return Search(folder, options).from_index(name);
  throw Error(ErrorKind::checkpoint_not_found,
              "is neither a .safetensors file nor an index (.safetensors.index.json) nor a folder")
      .in(path.string());
}

}  // namespace

std::vector<std::string> shards_by_name(const std::vector<std::string>& names) {
  if (names.size() == 1) return names;
  std::string set;
  std::vector<bool> seen;
  for (const std::string& name : names) {
    const auto shard = parse_shard_number(name);
    if (!shard || shard->count != names.size() || shard->number == 0 || shard->number > names.size())
      return {};
    if (seen.empty()) {
      set = shard->set;
      seen.resize(names.size());
    }
    if (shard->set != set || seen[shard->number - 1]) return {};
    seen[shard->number - 1] = true;
  }
  return names;
}

FoundCheckpoint locate_checkpoint(const fs::path& path, const OpenOptions& options) {
  std::error_code failure;
  const fs::file_type type = fs::status(path, failure).type();
  if (type == fs::file_type::not_found) {
    throw Error(ErrorKind::checkpoint_not_found, "does not exist").in(path.string());
  }
  if (type == fs::file_type::none) throw io_error("cannot look at it", failure.value()).in(path.string());
  if (type == fs::file_type::directory && is_hub_cache(path)) {
    return Search(snapshot_folder(path, options.revision), options).from_folder();
  }
  if (!options.revision.empty()) {
    throw Error(ErrorKind::usage, "a revision was named, but this is no hub cache folder (models--ORG--NAME)")
        .in(path.string());
  }
  if (type == fs::file_type::directory) return Search(path, options).from_folder();
  if (type == fs::file_type::regular) return locate_file(path, options);
  throw Error(ErrorKind::checkpoint_not_found, fmt::format("is {}, not a checkpoint", describe_kind(type)))
      .in(path.string());
}

CheckpointPlace find_checkpoint(const fs::path& path, const OpenOptions& options) {
  return locate_checkpoint(path, options).place;
}

}  // namespace keyshift
