#include "format/side_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "format/file_names.h"

namespace keyshift {

namespace fs = std::filesystem;

namespace {

bool is_skipped_folder(const fs::path& name) {
  constexpr std::array<std::string_view, 3> kSkipped = {".git", ".cache", ".huggingface"};
  return std::find(kSkipped.begin(), kSkipped.end(), name.native()) != kSkipped.end() ||
         is_own(name.native());
}

class Walk {
 public:
  Walk(const fs::path& folder, const Boundary& boundary) : folder_(folder), boundary_(boundary) {}

  FolderContents run() {
    enter({});
    std::sort(contents_.side_files.begin(), contents_.side_files.end());
    std::sort(contents_.weights.begin(), contents_.weights.end());
    return std::move(contents_);
  }

 private:
  void skip(const fs::path& name, std::string_view why) {
    contents_.warnings.push_back(fmt::format("{} is left out: it {}", quote(name.string()), why));
  }

  void enter(const fs::path& below) {
    std::error_code failure;
    fs::directory_iterator at(folder_ / below, failure);
    if (failure && below.empty()) throw io_error("cannot list", failure.value()).in(folder_.string());
    std::vector<fs::path> names;
    for (; !failure && at != fs::directory_iterator(); at.increment(failure))
      names.push_back(at->path().filename());
    if (failure) return skip(below, "cannot be listed: " + failure.message());
    std::sort(names.begin(), names.end());
    for (const fs::path& name : names) look_at(below / name);
  }

  void look_at(const fs::path& name) {
    std::error_code failure;
    const fs::file_type type = fs::symlink_status(folder_ / name, failure).type();
    if (type == fs::file_type::none)  // "not found" is another type
      throw io_error("cannot look at it", failure.value()).in((folder_ / name).string());
    if (type == fs::file_type::directory) {
      if (!is_skipped_folder(name.filename())) enter(name);
      return;
    }
    const std::string last = name.filename().string();
    if (is_own(last) || is_any_index(last)) return;
    if (is_weights(last)) {
      contents_.weights.push_back(name.string());
      return;
    }
    const Boundary::Finding finding = boundary_.look_at(name);
    if (finding.verdict == Boundary::Verdict::file) {
      contents_.side_files.push_back(name.string());
    } else if (finding.verdict == Boundary::Verdict::missing) {
      skip(name, "is a link that leads nowhere");
    } else {
      skip(name, finding.what);
    }
  }

  const fs::path& folder_;
  const Boundary& boundary_;
  FolderContents contents_;
};

}  // namespace

FolderContents list_folder(const fs::path& folder, const Boundary& boundary) {
  return Walk(folder, boundary).run();
}

}  // namespace keyshift
