#include "core/webhook_request.h"
