#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>

#include "base/check.h"

namespace sealpost {
namespace {

void append_number(double number, std::string& text) {
  if (std::isnan(number)) {
    text += "NaN";
  } else if (std::isinf(number)) {
    text += number > 0 ? "+Inf" : "-Inf";
  } else {
    fmt::format_to(std::back_inserter(text), "{}", number);
  }
}

void append_number(std::uint64_t number, std::string& text) {
  fmt::format_to(std::back_inserter(text), "{}", number);
}

// The format escapes backslash and line feed in help texts, and the quote as well in label values.
void append_escaped(std::string_view value, std::string_view special, std::string& text) {
  for (const char c : value) {
    if (special.find(c) == std::string_view::npos) {
      text.push_back(c);
    } else {
      text.push_back('\\');
      text.push_back(c == '\n' ? 'n' : c);
    }
  }
}

void append_label(std::string_view name, std::string_view value, std::string& text) {
  text.append(text.back() == '{' ? "" : ",").append(name).append("=\"");
  append_escaped(value, "\\\n\"", text);
  text.push_back('"');
}

// `bound` is the value of a bucket's "le" label; empty for every other line.
template <class Number>
void append_sample(std::string_view name, std::string_view suffix, Labels labels,
                   std::string_view bound, Number value, std::string& text) {
  text.append(name).append(suffix);
  if (labels.size() > 0 || !bound.empty()) {
    text.push_back('{');
    for (const auto& [label, label_value] : labels) append_label(label, label_value, text);
    if (!bound.empty()) append_label("le", bound, text);
    text.push_back('}');
  }
  text.push_back(' ');
  append_number(value, text);
  text.push_back('\n');
}

}  // namespace

Histogram::Histogram(std::vector<double> upper_bounds_seconds)
    : bounds_(std::move(upper_bounds_seconds)), counts_(bounds_.size() + 1) {
  CHECK(std::adjacent_find(bounds_.begin(), bounds_.end(), std::greater_equal<>()) == bounds_.end(),
        "a histogram's bounds must ascend");
}

void Histogram::observe(double seconds) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), seconds);
  counts_[static_cast<std::size_t>(bound - bounds_.begin())].fetch_add(1,
                                                                       std::memory_order_relaxed);
  sum_.fetch_add(seconds, std::memory_order_relaxed);
}

std::uint64_t Histogram::bucket_count(std::size_t i) const {
  return counts_.at(i).load(std::memory_order_relaxed);
}

void MetricsText::header(std::string_view name, std::string_view help, std::string_view type) {
  if (last_name_ == name) return;
  last_name_ = name;
  text_.append("# HELP ").append(name).append(" ");
  append_escaped(help, "\\\n", text_);
  text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsText::counter(std::string_view name, std::string_view help, std::uint64_t value,
                          Labels labels) {
  header(name, help, "counter");
  append_sample(name, "", labels, "", value, text_);
}

void MetricsText::gauge(std::string_view name, std::string_view help, double value, Labels labels) {
  header(name, help, "gauge");
  append_sample(name, "", labels, "", value, text_);
}

void MetricsText::histogram(std::string_view name, std::string_view help,
                            const Histogram& histogram, Labels labels) {
  header(name, help, "histogram");
  // The count is the sum of the buckets that were read, so that it equals the +Inf bucket, as the
  // format requires, whatever is observed meanwhile.
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    cumulative += histogram.bucket_count(i);
    std::string bound;
    append_number(i < histogram.bounds().size() ? histogram.bounds()[i]
                                                : std::numeric_limits<double>::infinity(),
                  bound);
    append_sample(name, "_bucket", labels, bound, cumulative, text_);
  }
  append_sample(name, "_sum", labels, "", histogram.sum(), text_);
  append_sample(name, "_count", labels, "", cumulative, text_);
}

}  // namespace sealpost
