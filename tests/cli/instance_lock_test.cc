#include "cli/instance_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/scratch_directory.h"

namespace sealpost {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

TEST(InstanceLockTest, NamesADispatcherByHostAndDirectory) {
  const ScratchDirectory scratch;
  const InstanceLock lock = lock_instance(scratch.path(), std::nullopt);
  EXPECT_THAT(lock.name, EndsWith(":" + scratch.path().string()));
}

TEST(InstanceLockTest, NumbersFurtherProcessesOfOneDirectory) {
  const ScratchDirectory scratch;
  const InstanceLock first = lock_instance(scratch.path(), std::nullopt);
  const InstanceLock second = lock_instance(scratch.path(), std::nullopt);
  EXPECT_EQ(second.name, first.name + "#2");
}

TEST(InstanceLockTest, GivesTheNameOfAnEndedProcessToTheNext) {
  const ScratchDirectory scratch;
  std::string name;
  {
    const InstanceLock first = lock_instance(scratch.path(), std::nullopt);
    name = first.name;
  }
  EXPECT_EQ(lock_instance(scratch.path(), std::nullopt).name, name);
}

TEST(InstanceLockTest, RefusesAChosenNameThatIsInUse) {
  const ScratchDirectory scratch;
  const InstanceLock first = lock_instance(scratch.path(), "blue");
  EXPECT_EQ(first.name, "blue");
  EXPECT_EQ(lock_instance(scratch.path(), "green").name, "green");
  try {
    lock_instance(scratch.path(), "blue");
    FAIL() << "two dispatchers have one name";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(),
                HasSubstr("\"blue\" is running already (pid " + std::to_string(getpid()) + ")"));
  }
}

TEST(InstanceLockTest, SaysWhatToDoWhenTheDirectoryCannotBeWritten) {
  try {
    lock_instance("/proc/sealpost", std::nullopt);
    FAIL() << "it locked a file in /proc";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("SEALPOST_DATA_DIR"));
  }
}

}  // namespace
}  // namespace sealpost
