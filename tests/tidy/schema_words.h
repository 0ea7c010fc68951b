// Reads the words of a closed set where they are written down twice: the enumerators of a C++ enum,
// and the CHECK constraint of the column that stores them. The two must not disagree: the database
// would refuse a row that the program writes, or hold one that it cannot read.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sealpost {

// Enumerators of `enum class name` in the text of a header, in order. Empty if it is not there.
std::vector<std::string> enumerators(std::string_view header, std::string_view name);

// Words of the last "CHECK (column IN (…))" that a CREATE TABLE or ALTER TABLE statement in `sql`
// gives to sealpost.`table`. `sql` is all migrations in their order. Empty if there is none.
std::set<std::string> checked_words(std::string_view sql, std::string_view table,
                                    std::string_view column);

// What differs, one sentence per word; empty if the sets are equal.
std::string difference(const std::set<std::string>& in_code,
                       const std::set<std::string>& in_schema);

}  // namespace sealpost
