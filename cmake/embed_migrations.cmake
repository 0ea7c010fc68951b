# Writes a C++ file that contains every migrations/*.sql, so that the binary needs no files beside it.
#
#   cmake -D OUTPUT=<file.cc> -D FOLDER=<migrations> -P embed_migrations.cmake
#
# Names: NNNN_words_with_underscores.sql; the number is the version. Order is that of the numbers.

file(GLOB files LIST_DIRECTORIES false "${FOLDER}/*.sql")
list(SORT files)

set(entries "")
set(expected 0)
foreach(file IN LISTS files)
  get_filename_component(stem "${file}" NAME_WE)
  if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: a migration is named NNNN_words.sql")
  endif()
  set(name "${CMAKE_MATCH_2}")
  math(EXPR version "1${CMAKE_MATCH_1} - 10000")
  math(EXPR expected "${expected} + 1")
  if(NOT version EQUAL expected)
    message(FATAL_ERROR "${file}: expected version ${expected}; versions have no gaps and no doubles")
  endif()
  file(READ "${file}" sql)
  string(APPEND entries "    {${version}, \"${name}\", R\"~~sql~~(${sql})~~sql~~\"},\n")
endforeach()

file(WRITE "${OUTPUT}.new" "// Made by cmake/embed_migrations.cmake.
#include \"storage/migrations.h\"

namespace sealpost {

const std::vector<Migration>& embedded_migrations() {
  static const std::vector<Migration> migrations = {
${entries}  };
  return migrations;
}

}  // namespace sealpost
")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
