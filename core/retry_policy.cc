#include "core/retry_policy.h"
