// The whole text of the Error that a piece of code throws; "no error" if it throws none.
#pragma once

#include <string>

#include "base/error.h"

namespace keyshift::test {

template <class F>
std::string error_text(F&& code) {
  try {
    code();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace keyshift::test
