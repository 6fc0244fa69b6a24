#include "format/module_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"

namespace keyshift {

namespace {

// Everything before a dot is a module.
std::vector<std::string_view> modules_of(const std::vector<RenamedTensor>& tensors, bool new_names) {
  std::set<std::string_view> modules;
  for (const RenamedTensor& tensor : tensors) {
    const std::string_view key = new_names ? tensor.to : tensor.from;
    for (std::size_t dot = key.rfind('.'); dot != std::string_view::npos && dot > 0;
         dot = key.rfind('.', dot - 1)) {
      if (!modules.insert(key.substr(0, dot)).second) break;  // and so are those around it
    }
  }
  return {modules.begin(), modules.end()};
}

bool ends_with_parts(std::string_view module, std::string_view name) {
  if (!module.ends_with(name)) return false;
  return module.size() == name.size() || module[module.size() - name.size() - 1] == '.';
}

// As many parts from the end as `like` has.
std::string_view last_parts(std::string_view module, std::string_view like) {
  std::size_t begin = module.size();
  for (std::ptrdiff_t i = std::count(like.begin(), like.end(), '.');
       i >= 0 && begin != std::string_view::npos; --i)
    begin = begin == 0 ? std::string_view::npos : module.rfind('.', begin - 1);
  return begin == std::string_view::npos ? module : module.substr(begin + 1);
}

}  // namespace

ModuleNames::ModuleNames(const std::vector<RenamedTensor>& tensors) : tensors_(tensors) {
  std::sort(tensors_.begin(), tensors_.end(),
            [](const RenamedTensor& a, const RenamedTensor& b) { return a.from < b.from; });
  old_ = modules_of(tensors_, false);
  new_ = modules_of(tensors_, true);
}

ModuleFate ModuleNames::fate(std::string_view name) const {
  if (name.empty()) return {};
  ModuleFate fate = whole(name);
  return fate.kind == ModuleFate::Kind::unknown ? ending(name) : fate;
}

ModuleFate ModuleNames::whole(std::string_view name) const {
  const std::string below = std::string(name) + '.';
  ModuleFate fate;
  const auto judge = [&](const RenamedTensor& tensor) {
    const std::string_view rest = tensor.from.substr(name.size());
    if (!tensor.to.ends_with(rest) || tensor.to.size() == rest.size()) {
      fate = {ModuleFate::Kind::unclear, "",
              fmt::format("{} below it became {}", quote(tensor.from), quote(tensor.to))};
      return false;
    }
    const std::string_view to = tensor.to.substr(0, tensor.to.size() - rest.size());
    if (fate.kind == ModuleFate::Kind::unknown) {
      fate = {to == name ? ModuleFate::Kind::same : ModuleFate::Kind::renamed, std::string(to), ""};
    } else if (fate.to != to) {
      fate = {ModuleFate::Kind::unclear, "",
              fmt::format("what lies below it went to {} and to {}", quote(fate.to), quote(to))};
      return false;
    }
    return true;
  };
  const auto by_name = [](const RenamedTensor& tensor, std::string_view key) { return tensor.from < key; };
  auto at = std::lower_bound(tensors_.begin(), tensors_.end(), name, by_name);
  if (at != tensors_.end() && at->from == name && !judge(*at)) return fate;
  at = std::lower_bound(tensors_.begin(), tensors_.end(), below, by_name);
  for (; at != tensors_.end() && at->from.starts_with(below); ++at)
    if (!judge(*at)) return fate;
  return fate;
}

ModuleFate ModuleNames::ending(std::string_view name) const {
  std::set<std::string> images;
  std::set<std::string_view> endings;
  for (const std::string_view module : old_) {
    if (!ends_with_parts(module, name)) continue;
    const ModuleFate fate = whole(module);
    if (fate.kind == ModuleFate::Kind::unclear) return fate;
    const auto image = images.insert(fate.to).first;
    endings.insert(last_parts(*image, name));
  }
  if (images.empty()) return {};
  if (endings.size() > 1) {
    return {ModuleFate::Kind::unclear, "",
            fmt::format("modules with this ending went to {} and to {}", quote(*endings.begin()),
                        quote(*std::next(endings.begin())))};
  }
  const std::string_view to = *endings.begin();
  if (to == name) return {ModuleFate::Kind::same, std::string(name), ""};
  for (const std::string_view module : new_) {
    if (ends_with_parts(module, to) && !images.contains(std::string(module))) {
      return {ModuleFate::Kind::unclear, "",
              fmt::format("as {} it would mean {} too", quote(to), quote(module))};
    }
  }
  return {ModuleFate::Kind::renamed, std::string(to), ""};
}

}  // namespace keyshift
