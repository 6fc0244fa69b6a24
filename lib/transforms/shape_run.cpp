#include "transforms/shape_run.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace keyshift {

std::uint32_t RunFindings::add(RenameOutcome outcome) {
  for (const std::uint32_t transform : outcome.transforms) used[transform] = true;
  return pool->intern(std::move(outcome));
}

ShapeRun::ShapeRun(const TransformTrie& trie, const ShapeKernel& kernel, RunFindings& findings, Groups groups)
    : kernel_(&kernel),
      findings_(&findings),
      defers_(groups == Groups::defer),
      exact_path_(trie),
      learner_(trie),
      armed_(std::make_unique<bool[]>(trie.steps().size())) {
  // An armed group tells of every match, which is what a run that defers wants to know.
  if (defers_) std::fill_n(armed_.get(), trie.steps().size(), true);
}

void ShapeRun::run(std::span<const std::string_view> keys, RenamedKeys& result, ResultForm form) {
  result_ = &result;
  form_ = form;
  result.begin_pool(findings_->pool);
  result.reserve_keys(keys.size());
  // As much as most need; memory that is not written costs nothing.
  result.reserve_text((form == ResultForm::line ? 128 : 64) * keys.size());
  RenamedKeys::Raw raw = result.raw();
  first_end_ = raw.ends;
  deferred_.clear();
  (form == ResultForm::line ? kernel_->write_lines : kernel_->rename)(keys, table_, *this, raw);
  result.give_back(raw);
  result.end_pool();
}

const Shape* ShapeRun::shape_of(std::string_view key, RenamedKeys::Raw& raw) {
  if (key.size() > kLongestShape || key.find(static_cast<char>(kOpenByte)) != std::string_view::npos) {
    return write_exactly(key, raw);
  }
  PositionSet open = open_digits(key);
  while (true) {
    const Shape* shape = find_shape(table_, *kernel_, key, open);
    if (shape == nullptr) {
      if (table_.full()) return write_exactly(key, raw);
      shape = &learn(key, open);
    }
    switch (shape->kind) {
      case ShapeKind::result:
        return shape;
      case ShapeKind::exact:
        return write_exactly(key, raw);
      case ShapeKind::ordered:
        return defer(raw);
      case ShapeKind::depends:
        break;  // is followed by find_shape
    }
  }
}

const Shape& ShapeRun::learn(std::string_view key, const PositionSet& open) {
  LearnedShape learned = learner_.learn(key, open, armed_);
  ShapeKind kind = ShapeKind::exact;
  std::uint32_t outcome = 0;
  if (learned.kind == LearnedShape::Kind::depends && !(open - learned.pins).empty()) {
    kind = ShapeKind::depends;
  } else if (learned.kind == LearnedShape::Kind::result && defers_ && learned.group_matched) {
    kind = ShapeKind::ordered;
  } else if (learned.kind == LearnedShape::Kind::result) {
    kind = ShapeKind::result;
    outcome = findings_->add(std::move(learned.outcome));
  }
  // What is left is exact, as is a shape with no digit left open, which would be that of a single key.
  if (kind != ShapeKind::depends) ++shapes_;
  return table_.add(kernel_->hash(key, open), key, open, learned, kind, outcome);
}

/// Always nullptr: there is no shape.
const Shape* ShapeRun::write_exactly(std::string_view key, RenamedKeys::Raw& raw) {
  exact_key_.assign(key);
  ExactPath::Groups groups;
  try {
    groups = exact_path_.rename(exact_key_, exact_outcome_, armed_);
  } catch (const Error&) {
    if (!defers_) throw;
    return defer(raw);
  }
  if (defers_ && groups.matched) return defer(raw);
  if (groups.armed) table_.clear();  // from here on other transforms match
  if (form_ == ResultForm::line) exact_key_.insert(0, "\t").insert(0, key).append("\n");
  make_room(exact_key_.size(), raw);
  exact_key_.copy(raw.text, exact_key_.size());
  raw.text += exact_key_.size();
  raw.used += exact_key_.size();
  *raw.ends++ = raw.used;
  *raw.outcomes++ = raw.outcome_base + findings_->add(std::move(exact_outcome_));
  return nullptr;
}

const Shape* ShapeRun::defer(RenamedKeys::Raw& raw) {
  deferred_.push_back(static_cast<std::size_t>(raw.ends - first_end_));
  *raw.ends++ = raw.used;
  *raw.outcomes++ = raw.outcome_base + findings_->add({});
  return nullptr;
}

void ShapeRun::make_room(std::size_t bytes, RenamedKeys::Raw& raw) {
  if (static_cast<std::size_t>(raw.text_limit - raw.text) >= bytes) return;
  result_->give_back(raw);
  result_->reserve_text(bytes);
  raw = result_->raw();
}

}  // namespace keyshift
