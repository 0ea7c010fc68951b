// RapidCheck draws a new seed for every run. Tests here must give the same result every time, so a
// seed is set before main(); set RC_PARAMS yourself to look further ("seed=7 max_success=100000").
#include <cstdlib>

namespace {
[[maybe_unused]] const int kSeedIsSet = setenv("RC_PARAMS", "seed=20261122", 0);
}
