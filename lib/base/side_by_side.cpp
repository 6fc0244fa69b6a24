#include "base/side_by_side.h"

#include <exception>
#include <system_error>
#include <thread>

#include "base/parallel.h"

namespace keyshift {

namespace {

std::exception_ptr failure_of(function_ref<void()> work) noexcept {
  try {
    work();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

std::jthread begin_elsewhere(function_ref<void()> work) {
  if (available_processors() == 1) return {};
  try {
    return std::jthread(work);
  } catch (const std::system_error&) {
    return {};  // there is a limit of threads, and it is reached
  }
}

}  // namespace

bool side_by_side(function_ref<void()> here, function_ref<void()> elsewhere) {
  std::exception_ptr first, second;
  {
    const auto run_second = [&] { second = failure_of(elsewhere); };
    const std::jthread thread = begin_elsewhere(run_second);
    if (!thread.joinable()) return false;
    first = failure_of(here);
  }
  if (first) std::rethrow_exception(first);
  if (second) std::rethrow_exception(second);
  return true;
}

}  // namespace keyshift
