#include "keyshift.h"

namespace keyshift {

std::string_view version() noexcept { return KEYSHIFT_VERSION; }

}  // namespace keyshift
