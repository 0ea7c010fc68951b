// Keeps the store in shape without a cron job: makes partitions ahead of time, drops those past
// retention, empties the default partitions.
//
// Threads: an instance belongs to one thread. Errors: StorageError.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace sealpost {

struct RetentionOptions {
  int days_ahead = 3;               // partitions made in advance
  std::chrono::days retention{30};  // events, finished deliveries and attempts older than that go
};

struct MaintenanceReport {
  bool busy = false;                 // another process is at it
  std::vector<std::string> created;  // partitions
  std::vector<std::string> dropped;
  std::vector<std::string> kept;  // past retention, but live deliveries or dead letters need them
};

class Maintenance {
 public:
  virtual ~Maintenance() = default;
  virtual MaintenanceReport run(const RetentionOptions& options) = 0;
};

}  // namespace sealpost
