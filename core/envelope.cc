#include "core/envelope.h"
