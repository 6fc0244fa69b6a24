// Two pieces of work at the same time, of which one has to stay on the caller's thread: where signals arrive.
#pragma once

#include "base/function_ref.h"

namespace keyshift {

/// Calls `here` on this thread while `elsewhere` runs on another one; the two may wait for each other. When
/// both have ended the exception of `here`, else that of `elsewhere`, is rethrown. False where this process
/// has only one processor or may begin no thread: then neither was called.
bool side_by_side(function_ref<void()> here, function_ref<void()> elsewhere);

}  // namespace keyshift
