#include "tools/commands/rewritten_output.h"

#include <fmt/format.h>

#include "tools/style.h"

namespace keyshift::tools {

std::string rewritten_text(const std::vector<RewrittenFile>& files) {
  std::string out;
  for (const RewrittenFile& file : files) {
    out += fmt::format("  {:<12}{} in {}\n", "followed", counted(file.after.changes.size(), "module name"),
                       printable(file.name));
    for (const ConfigRewrite::Change& change : file.after.changes)
      out += fmt::format("    {}: {} → {}\n", printable(change.where), printable(change.from),
                         printable(change.to));
    for (const ConfigRewrite::Left& left : file.after.left)
      out += fmt::format("    {}: {} stays: {}\n", printable(left.where), quote(left.text), left.why);
  }
  return out;
}

void write_rewritten(json::Writer& out, const std::vector<RewrittenFile>& files) {
  if (files.empty()) return;
  out.key("rewritten").begin_array();
  for (const RewrittenFile& file : files) {
    out.begin_object().key("file").string(path_text(file.name)).key("changes").begin_array();
    for (const ConfigRewrite::Change& change : file.after.changes) {
      out.begin_object().key("where").string(change.where).key("from").string(change.from);
      out.key("to").string(change.to).end_object();
    }
    out.end_array().key("left").begin_array();
    for (const ConfigRewrite::Left& left : file.after.left) {
      out.begin_object().key("where").string(left.where).key("text").string(left.text);
      out.key("why").string(left.why).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array();
}

}  // namespace keyshift::tools
