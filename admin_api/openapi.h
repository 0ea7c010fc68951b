// schemas/openapi.yaml as it was when the program was built. The file is JSON, which every YAML
// reader takes, so that the same bytes serve as the file and as the answer.
#pragma once

#include <string_view>

namespace sealpost {

std::string_view openapi_text();

}  // namespace sealpost
