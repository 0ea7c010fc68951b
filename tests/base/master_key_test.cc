#include "base/master_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "base/bytes.h"
#include "tests/support/fake_random.h"

namespace sealpost {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class MasterKeyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "master_key_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = folder_ / "master.key";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(std::string_view text, mode_t mode = 0600) {
    std::filesystem::remove(file_);
    std::ofstream(file_) << text;
    ASSERT_EQ(chmod(file_.c_str(), mode), 0);
  }
  std::string read() const {
    std::ifstream in(file_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // What load says about the file, or "loaded".
  std::string load_error() const {
    try {
      load_master_keys(file_);
      return "loaded";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  std::filesystem::path folder_, file_;
  FakeRandom random_{11};
};

const std::string kKey = "0123456789abcdef0123456789abcdef";

TEST_F(MasterKeyTest, LoadsWhatWasCreated) {
  create_master_key(file_, random_);
  const MasterKey key = load_master_keys(file_).at(0);
  EXPECT_EQ(read(), base64_encode(key.key.reveal()) + "\n");
  EXPECT_EQ(key.key.size(), 32u);
  EXPECT_EQ(load_master_keys(file_).at(0).id, key.id);
}

TEST_F(MasterKeyTest, TheIdIsTheBeginningOfTheHash) {
  write(base64_encode(kKey));
  // printf 0123456789abcdef0123456789abcdef | sha256sum | cut -c1-16
  EXPECT_EQ(load_master_keys(file_).at(0).id, "3eb1bd439947eb76");
}

TEST_F(MasterKeyTest, AFileMayHoldSeveralKeysTheNewestFirst) {
  const std::string other(32, 'x');
  write(base64_encode(kKey) + "\n" + base64_encode(other) + "\n");
  const std::vector<MasterKey> keys = load_master_keys(file_);
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].key.reveal(), kKey);
  EXPECT_EQ(keys[1].key.reveal(), other);
  write(base64_encode(kKey) + "\n\n" + base64_encode(other) + "\n");
  EXPECT_THAT(load_error(), HasSubstr("0 bytes")) << "an empty line is no key";
  std::string many;
  for (std::size_t i = 0; i <= kMaxMasterKeys; ++i) many += base64_encode(kKey) + "\n";
  write(many);
  EXPECT_THAT(load_error(), HasSubstr("more than 8 keys"));
}

TEST_F(MasterKeyTest, AProcessNoticesThatTheFileChanged) {
  const std::string other(32, 'x');
  write(base64_encode(kKey) + "\n");
  MasterKeys keys(file_);
  const std::string first = keys.newest().id;
  EXPECT_FALSE(keys.find("0000000000000000"));
  write(base64_encode(other) + "\n" + base64_encode(kKey) + "\n");
  EXPECT_EQ(keys.newest().key.reveal(), other);
  EXPECT_EQ(keys.find(first).value().key.reveal(), kKey);
}

TEST_F(MasterKeyTest, AKeyThatIsNotKnownIsLookedForInTheFile) {
  const std::string other(32, 'x');
  write(base64_encode(other));
  const std::string wanted = load_master_keys(file_).at(0).id;
  write(base64_encode(kKey));
  MasterKeys keys(file_);
  EXPECT_FALSE(keys.find(wanted));
  write(base64_encode(kKey) + "\n" + base64_encode(other) + "\n");
  EXPECT_EQ(keys.find(wanted).value().key.reveal(), other);
}

TEST_F(MasterKeyTest, AFileThatBecameUnusableChangesNothing) {
  write(base64_encode(kKey));
  MasterKeys keys(file_);
  for (const char* text : {"not base64!", ""}) {
    write(text);
    EXPECT_EQ(keys.newest().key.reveal(), kKey);
  }
  std::filesystem::remove(file_);
  EXPECT_EQ(keys.newest().key.reveal(), kKey);
  write(base64_encode(std::string(32, 'x')));
  EXPECT_EQ(keys.newest().key.reveal(), std::string(32, 'x'));
}

TEST_F(MasterKeyTest, CreatesAFileForItsOwnerAlone) {
  create_master_key(file_, random_);
  struct stat status {};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(MasterKeyTest, NeverOverwritesAKey) {
  write("precious");
  EXPECT_THROW(create_master_key(file_, random_), std::runtime_error);
  EXPECT_EQ(read(), "precious");
}

TEST_F(MasterKeyTest, AMissingFileIsNamedWithARemedy) {
  EXPECT_THAT(load_error(), AllOf(HasSubstr(file_.string()), HasSubstr("No such file"),
                                  HasSubstr("create a key")));
}

TEST_F(MasterKeyTest, RefusesAFileThatOthersMayUse) {
  for (const mode_t mode : {0644, 0640, 0604, 0660, 0602, 0610}) {
    write(base64_encode(kKey), mode);
    EXPECT_THAT(load_error(), AllOf(HasSubstr("other users"), HasSubstr("chmod 600"))) << mode;
  }
  for (const mode_t mode : {0600, 0400, 0700}) {
    write(base64_encode(kKey), mode);
    EXPECT_EQ(load_error(), "loaded") << mode;
  }
}

TEST_F(MasterKeyTest, RefusesADirectory) {
  std::filesystem::create_directory(file_);
  EXPECT_THAT(load_error(), HasSubstr("not a regular file"));
}

TEST_F(MasterKeyTest, RefusesAWrongLength) {
  write("");
  EXPECT_THAT(load_error(), HasSubstr("holds 0 bytes where a key has 32"));
  write(base64_encode(kKey.substr(1)));
  EXPECT_THAT(load_error(), HasSubstr("holds 31 bytes"));
  write(base64_encode(kKey + "x"));
  EXPECT_THAT(load_error(), HasSubstr("holds 33 bytes"));
}

TEST_F(MasterKeyTest, RefusesWhatIsNotBase64AndDoesNotQuoteIt) {
  const std::string text = base64_encode(kKey);
  for (const std::string& bad : {"!" + text, text.substr(0, 43), text + " " + text}) {
    write(bad);
    EXPECT_THAT(load_error(), HasSubstr("not base64")) << bad;
    EXPECT_THAT(load_error(), Not(HasSubstr(bad.substr(1, 10))));
  }
}

TEST_F(MasterKeyTest, AcceptsSpaceAtTheEndAsEditorsLeaveIt) {
  for (const std::string_view end : {"", "\n", "\r\n", " \n\n"}) {
    write(base64_encode(kKey) + std::string(end));
    EXPECT_EQ(load_master_keys(file_).at(0).key.reveal(), kKey);
  }
}

}  // namespace
}  // namespace sealpost
