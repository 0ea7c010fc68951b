#include "base/ulid.h"
