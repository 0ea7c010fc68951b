#include "base/master_key.h"
