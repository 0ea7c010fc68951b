// Writing a small file that only its owner may read.
#pragma once

#include <filesystem>
#include <string_view>

namespace sealpost {

// Replaces the file as a whole: readers see the old one or the new one. Mode 0600; a newline is
// added. Throws std::runtime_error naming the file.
void write_private_file(const std::filesystem::path& file, std::string_view text);

}  // namespace sealpost
