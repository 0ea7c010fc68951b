// From flags, environment and file to one text per setting. What the texts mean is cli/config.cc's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/config.h"
#include "cli/options.h"

namespace sealpost {

enum class Origin { flag, environment, file, fallback };

struct Setting {
  std::string text;
  Origin origin = Origin::fallback;
  std::string where;  // for people: "--listen", "SEALPOST_LISTEN", "listen in /etc/sealpost.toml"
};

// By option name, the highest source that has it; settings without a value are left out. Mistakes
// are appended: an unreadable file, unknown names.
std::map<std::string, Setting> collect_settings(const ConfigSources& sources,
                                                std::vector<std::string>& mistakes);

}  // namespace sealpost
