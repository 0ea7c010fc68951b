#include "core/url_rules.h"
