#include "core/token_store.h"
