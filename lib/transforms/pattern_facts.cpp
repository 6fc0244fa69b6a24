#include "transforms/pattern_facts.h"
