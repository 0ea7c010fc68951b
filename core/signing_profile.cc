#include "core/signing_profile.h"
