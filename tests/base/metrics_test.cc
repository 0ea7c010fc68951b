#include "base/metrics.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

namespace sealpost {
namespace {

TEST(MetricsTest, WritesHelpAndTypeOncePerMetric) {
  MetricsText text;
  text.counter("sealpost_attempts_total", "Attempts by outcome.", 3, {{"outcome", "delivered"}});
  text.counter("sealpost_attempts_total", "Attempts by outcome.", 4, {{"outcome", "failed"}});
  text.gauge("sealpost_queued", "Deliveries in memory.", 2.5);
  EXPECT_EQ(text.text(),
            "# HELP sealpost_attempts_total Attempts by outcome.\n"
            "# TYPE sealpost_attempts_total counter\n"
            "sealpost_attempts_total{outcome=\"delivered\"} 3\n"
            "sealpost_attempts_total{outcome=\"failed\"} 4\n"
            "# HELP sealpost_queued Deliveries in memory.\n"
            "# TYPE sealpost_queued gauge\n"
            "sealpost_queued 2.5\n");
}

TEST(MetricsTest, EscapesHelpAndLabelsAsTheFormatAsks) {
  MetricsText text;
  text.gauge("m", "say \"hi\" \\ twice\nover", 1, {{"a", "say \"hi\" \\ twice\nover"}, {"b", ""}});
  EXPECT_EQ(text.text(),
            "# HELP m say \"hi\" \\\\ twice\\nover\n"
            "# TYPE m gauge\n"
            "m{a=\"say \\\"hi\\\" \\\\ twice\\nover\",b=\"\"} 1\n");
}

TEST(MetricsTest, WritesNumbersThatTheParserKnows) {
  MetricsText text;
  text.gauge("m", "h", std::numeric_limits<double>::infinity(), {{"n", "1"}});
  text.gauge("m", "h", -std::numeric_limits<double>::infinity(), {{"n", "2"}});
  text.gauge("m", "h", std::numeric_limits<double>::quiet_NaN(), {{"n", "3"}});
  text.gauge("m", "h", -7, {{"n", "4"}});
  text.counter("c", "h", std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(text.text(),
            "# HELP m h\n# TYPE m gauge\n"
            "m{n=\"1\"} +Inf\nm{n=\"2\"} -Inf\nm{n=\"3\"} NaN\nm{n=\"4\"} -7\n"
            "# HELP c h\n# TYPE c counter\nc 18446744073709551615\n");
}

TEST(MetricsTest, HistogramBucketsAreCumulativeAndIncludeTheirBound) {
  Histogram histogram({0.1, 0.5, 1});
  for (const double seconds : {0.05, 0.1, 0.25, 1.0, 8.0}) histogram.observe(seconds);
  MetricsText text;
  text.histogram("d_seconds", "Durations.", histogram, {{"kind", "x"}});
  EXPECT_EQ(text.text(),
            "# HELP d_seconds Durations.\n"
            "# TYPE d_seconds histogram\n"
            "d_seconds_bucket{kind=\"x\",le=\"0.1\"} 2\n"
            "d_seconds_bucket{kind=\"x\",le=\"0.5\"} 3\n"
            "d_seconds_bucket{kind=\"x\",le=\"1\"} 4\n"
            "d_seconds_bucket{kind=\"x\",le=\"+Inf\"} 5\n"
            "d_seconds_sum{kind=\"x\"} 9.4\n"
            "d_seconds_count{kind=\"x\"} 5\n");
}

TEST(MetricsTest, HistogramWithoutLabelsOrObservations) {
  MetricsText text;
  text.histogram("d", "h", Histogram({2}));
  EXPECT_EQ(text.text(),
            "# HELP d h\n# TYPE d histogram\n"
            "d_bucket{le=\"2\"} 0\nd_bucket{le=\"+Inf\"} 0\nd_sum 0\nd_count 0\n");
}

TEST(MetricsDeathTest, HistogramBoundsMustAscend) {
  EXPECT_DEATH(Histogram({1, 1}), "ascend");
  EXPECT_DEATH(Histogram({2, 1}), "ascend");
}

TEST(MetricsTest, UpdatesFromManyThreadsAreAllCounted) {
  Counter counter;
  Gauge gauge;
  Histogram histogram({0.5});
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10'000; ++i) {
        counter.add();
        gauge.add(t % 2 == 0 ? 1 : -1);
        histogram.observe(0.25);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(counter.value(), 40'000u);
  EXPECT_EQ(gauge.value(), 0);
  EXPECT_EQ(histogram.bucket_count(0), 40'000u);
  EXPECT_DOUBLE_EQ(histogram.sum(), 10'000.0);
}

}  // namespace
}  // namespace sealpost
