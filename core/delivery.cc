#include "core/delivery.h"
