#include "core/address_policy.h"
