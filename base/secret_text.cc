#include "base/secret_text.h"
