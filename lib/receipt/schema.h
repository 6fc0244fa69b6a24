// What the receipt's writer and reader share (FORMAT.md, F40 …).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "receipt/receipt.h"
#include "transforms/renaming.h"

namespace keyshift::receipt_schema {

inline constexpr std::string_view kName = "keyshift-receipt/1";
/// The last member: all bytes before it are digested.
inline const std::string kDigestMember = " \"receipt_digest\": \"";

inline std::string_view name(UsedTransforms::Which which) {
  switch (which) {
    case UsedTransforms::Which::all:
      return "all";
    case UsedTransforms::Which::fresh:
      return "fresh";
    case UsedTransforms::Which::flagged:
      return "flagged";
  }
  return "";
}

inline std::optional<UsedTransforms::Which> parse_which(std::string_view text) {
  using Which = UsedTransforms::Which;
  for (const Which which : {Which::all, Which::fresh, Which::flagged}) {
    if (text == name(which)) return which;
  }
  return std::nullopt;
}

inline std::string_view name(Receipt::Layout layout) {
  return layout == Receipt::Layout::keep ? "keep" : "canonical";
}

inline std::string_view name(DigestsHeld held) {
  switch (held) {
    case DigestsHeld::all:
      return "all";
    case DigestsHeld::some:
      return "some";
    case DigestsHeld::none:
      return "none";
  }
  return "";
}

}  // namespace keyshift::receipt_schema
