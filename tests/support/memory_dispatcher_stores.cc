// Who lives, endpoints for sending, maintenance: the smaller stores of a MemoryDatabase.
#include "tests/support/memory_delivery_store.h"

namespace sealpost {

class MemoryRegistry final : public DispatcherRegistry {
 public:
  explicit MemoryRegistry(MemoryDatabase& database) : database_(database) {}

  Registration start(const std::string& instance, std::chrono::seconds lease) override {
    return database_.run("start", [&] {
      Registration registration;
      std::erase_if(database_.live_, [&](const auto& entry) {
        if (entry.second.instance != instance) return false;
        registration.freed += database_.free_leases_of(entry.first);
        return true;
      });
      registration.epoch = ++database_.last_epoch_;
      database_.live_[registration.epoch] = {instance, now() + lease};
      return registration;
    });
  }

  bool renew(Epoch epoch, std::chrono::seconds lease) override {
    return database_.run("renew", [&] {
      const auto found = database_.live_.find(epoch);
      if (found == database_.live_.end()) return false;
      found->second.lease_until = now() + lease;
      return true;
    });
  }

  // All on one host.
  LiveDispatchers live() override {
    return database_.run("live", [&] {
      LiveDispatchers live;
      for (const auto& [epoch, dispatcher] : database_.live_) {
        if (dispatcher.lease_until > now()) live.epochs.push_back(epoch);
      }
      live.on_our_host = static_cast<int>(live.epochs.size());
      return live;
    });
  }

  int take_over_dead() override {
    return database_.run("take_over_dead", [&] {
      int freed = 0;
      std::erase_if(database_.live_, [&](const auto& entry) {
        if (entry.second.lease_until > now()) return false;
        freed += database_.free_leases_of(entry.first);
        return true;
      });
      return freed;
    });
  }

  void stop(Epoch epoch) override {
    database_.run("stop", [&] {
      database_.live_.erase(epoch);
      database_.free_leases_of(epoch);
    });
  }

 private:
  MonotonicTime now() const { return database_.clock_.monotonic_now(); }
  MemoryDatabase& database_;
};

class MemoryEndpointSource final : public EndpointSource {
 public:
  explicit MemoryEndpointSource(MemoryDatabase& database) : database_(database) {}

  std::vector<Endpoint> load(std::span<const EndpointId> ids) override {
    return database_.run("load", [&] {
      std::vector<Endpoint> loaded;
      for (const EndpointId& id : ids) {
        const auto found = database_.endpoints_.find(id);
        if (found != database_.endpoints_.end()) loaded.push_back(found->second);
      }
      return loaded;
    });
  }

  std::vector<std::pair<EndpointId, int>> changed_within(std::chrono::seconds window) override {
    return database_.run("changed_within", [&] {
      std::vector<std::pair<EndpointId, int>> changed;
      for (const auto& [id, at] : database_.changed_at_) {
        if (database_.clock_.monotonic_now() - at > window) continue;
        changed.emplace_back(id, database_.endpoints_.at(id).version);
      }
      return changed;
    });
  }

  void disable(const EndpointId& id, const std::string& reason) override {
    database_.run("disable", [&] {
      Endpoint& endpoint = database_.endpoints_.at(id);
      if (endpoint.status != EndpointStatus::enabled) return;
      endpoint.status = EndpointStatus::disabled;
      endpoint.status_reason = reason;
      ++endpoint.version;
      database_.changed_at_[id] = database_.clock_.monotonic_now();
    });
  }

 private:
  MemoryDatabase& database_;
};

class MemoryMaintenance final : public Maintenance {
 public:
  explicit MemoryMaintenance(MemoryDatabase& database) : database_(database) {}
  MaintenanceReport run(const RetentionOptions&) override {
    return database_.run("maintenance", [] { return MaintenanceReport{}; });
  }

 private:
  MemoryDatabase& database_;
};

std::unique_ptr<DispatcherRegistry> MemoryDatabase::registry() {
  return std::make_unique<MemoryRegistry>(*this);
}
std::unique_ptr<EndpointSource> MemoryDatabase::endpoint_source() {
  return std::make_unique<MemoryEndpointSource>(*this);
}
std::unique_ptr<Maintenance> MemoryDatabase::maintenance() {
  return std::make_unique<MemoryMaintenance>(*this);
}

}  // namespace sealpost
