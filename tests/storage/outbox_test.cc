// The outbox as producers see it: what is refused, and what the producers' role may do.
#include "tests/storage/storage_fixture.h"

namespace sealpost {
namespace {

using testing::HasSubstr;

class OutboxTest : public StorageTest {
 protected:
  std::string refusal(const std::string& sql) {
    try {
      run(sql);
    } catch (const StorageError& error) {
      EXPECT_EQ(error.kind(), StorageError::Kind::permanent);
      return error.what();
    }
    return "accepted";
  }
  std::string new_id() { return value("SELECT sealpost.new_id('evt_')"); }
  std::string refusal_of(const std::string& columns, const std::string& values) {
    return refusal("INSERT INTO sealpost.outbox (" + columns + ") VALUES (" + values + ")");
  }
};

TEST_F(OutboxTest, WhatOnConflictLeavesOutIsNotTakenIn) {
  const std::string insert = "INSERT INTO sealpost.outbox (id, type, payload) VALUES ('" +
                             new_id() + "', 'a', '{}') ON CONFLICT DO NOTHING";
  run(insert);
  run(insert);
  EXPECT_EQ(count("sealpost.outbox"), 1);
  EXPECT_EQ(count("sealpost.intake"), 1);
}

TEST_F(OutboxTest, RefusesBadRowsAndNamesTheRule) {
  struct Case {
    std::string columns, values, message;
  };
  const std::vector<Case> cases = {
      {"type", "'a'", "payload or payload_bytes must be set, and not both"},
      {"type, payload, payload_bytes", "'a', '{}', 'x'",
       "payload or payload_bytes must be set, and not both"},
      {"payload", "'{}'", "null value in column \"type\""},
      {"type, payload", "'a', '{'", "invalid input syntax for type json"},
      {"type, payload", "'', '{}'", "type must be words"},
      {"type, payload", "'a..b', '{}'", "type must be words"},
      {"type, payload", "'a b', '{}'", "type must be words"},
      {"type, payload", "E'a\\n', '{}'", "type must be words"},
      {"type, payload", "repeat('a', 129), '{}'", "at most 128"},
      {"type, payload", "'webhook.x', '{}'", "type must not begin with webhook."},
      {"type, payload", "'webhook', '{}'", "type must not begin with webhook."},
      {"type, payload, tenant", "'a', '{}', 'a b'", "tenant must be 1 to 128"},
      {"type, payload, tenant", "'a', '{}', ''", "tenant must be 1 to 128"},
      {"type, payload", "'a', to_json(repeat('x', 1048575))", "payload must be at most 1 MiB"},
      {"type, payload_bytes", "'a', convert_to(repeat('x', 1048577), 'UTF8')",
       "payload_bytes must be at most 1 MiB"},
      {"type, payload_bytes, content_type", "'a', 'x', 'text'",
       "content_type must be a media type"},
      {"type, payload_bytes, content_type", "'a', 'x', E'text/plain\\r\\nx: y'",
       "content_type must be a media type"},
      {"type, payload, ordering_key", "'a', '{}', ''", "ordering_key must have 1 to 256"},
      {"type, payload, ordering_key", "'a', '{}', repeat('x', 257)",
       "ordering_key must have 1 to 256"},
      {"type, payload, id", "'a', '{}', 'evt_1'", "id must be evt_ and a ULID"},
      {"type, payload, id", "'a', '{}', lower(sealpost.new_id('evt_'))",
       "id must be evt_ and a ULID"},
      {"type, payload, id", "'a', '{}', 'evt_00000000000000000000000000'",
       "id carries a time more than 30 days ago"},
  };
  for (const Case& bad : cases) {
    EXPECT_THAT(refusal_of(bad.columns, bad.values), HasSubstr(bad.message))
        << bad.values.substr(0, 80);
  }
  EXPECT_EQ(count("sealpost.outbox"), 0);
  EXPECT_EQ(count("sealpost.intake"), 0);
}

TEST_F(OutboxTest, AcceptsWhatIsJustAllowed) {
  EXPECT_EQ(refusal_of("type, payload", "'a', to_json(repeat('x', 1048574))"), "accepted");
  EXPECT_EQ(refusal_of("type, payload", "repeat('a', 128), 'null'"), "accepted");
  EXPECT_EQ(refusal_of("type, payload, tenant, ordering_key",
                       "'a', '{}', repeat('t', 128), repeat('ä', 256)"),
            "accepted");
  EXPECT_EQ(refusal_of("type, payload", "'webhooks.x', '[]'"), "accepted");
  EXPECT_EQ(refusal_of("type, payload_bytes, content_type", "'a', '', 'text/plain; charset=utf-8'"),
            "accepted");
}

TEST_F(OutboxTest, RefusesTheSameIdTwice) {
  const EventId id = insert_event("acme", "a");
  EXPECT_THAT(refusal_of("type, payload, id", "'a', '{}', '" + id.text() + "'"),
              HasSubstr("duplicate key"));
}

TEST_F(OutboxTest, RollbackLeavesNothing) {
  sql_.query_once("SELECT 1");
  EXPECT_THROW(
      sql_.transaction({},
                       [&](PgTransaction& transaction) {
                         transaction.run_once(
                             "INSERT INTO sealpost.outbox (type, payload) VALUES ('a', '{}')");
                         throw std::runtime_error("changed its mind");
                       }),
      std::runtime_error);
  EXPECT_EQ(count("sealpost.outbox"), 0);
  EXPECT_EQ(count("sealpost.intake"), 0);
}

TEST_F(OutboxTest, ABulkInsertFillsTheIntakeInOrder) {
  run("INSERT INTO sealpost.outbox (type, payload) SELECT 'a', to_json(i) FROM generate_series(1, "
      "1000) i");
  EXPECT_EQ(count("sealpost.intake i JOIN sealpost.outbox o ON o.id = i.event_id"), 1000);
}

TEST_F(OutboxTest, TheProducerRoleMayInsertAndNothingElse) {
  const auto as_producer = [&](const std::string& sql) {
    try {
      sql_.transaction({}, [&](PgTransaction& transaction) {
        transaction.run_script("SET LOCAL ROLE sealpost_producer");
        transaction.run_once(sql);
      });
    } catch (const StorageError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(as_producer("INSERT INTO sealpost.outbox (type, payload) VALUES ('a', '{}')"),
            "accepted");
  EXPECT_EQ(count("sealpost.intake"), 1);
  for (const std::string sql :
       {"SELECT 1 FROM sealpost.outbox", "DELETE FROM sealpost.outbox",
        "UPDATE sealpost.outbox SET type = 'b'",
        "INSERT INTO sealpost.intake (event_id) VALUES ('x')",
        "SELECT 1 FROM sealpost.endpoint_secrets", "SELECT 1 FROM sealpost.tokens",
        "DELETE FROM sealpost.delivery_rows", "CREATE TABLE sealpost.x ()",
        "INSERT INTO sealpost.outbox_default (type, payload) VALUES ('a', '{}')"}) {
    EXPECT_THAT(as_producer(sql), HasSubstr("permission denied")) << sql;
  }
}

// The trigger may more than the producer: nothing of the producer's may run in it.
TEST_F(OutboxTest, AProducersOwnOperatorsDoNotReplaceTheRules) {
  const auto as_producer = [&](const std::string& sql) {
    sql_.transaction({}, [&](PgTransaction& transaction) {
      transaction.run_script(
          "SET LOCAL ROLE sealpost_producer;"
          "SET LOCAL search_path = own, pg_catalog;" +
          sql);
    });
  };
  const auto create_function = [&](const std::string& signature, const std::string& answer) {
    as_producer("CREATE FUNCTION own." + signature +
                " LANGUAGE sql AS 'DELETE FROM sealpost.intake; SELECT " + answer + "'");
  };
  run("CREATE SCHEMA own");
  run("GRANT ALL ON SCHEMA own TO sealpost_producer");
  for (const std::string type : {"pg_catalog.text", "int"}) {
    create_function("yes(" + type + "," + type + ") RETURNS boolean", "true");
    for (const std::string name : {"~", "!~", "=", "<>", "<=", ">="}) {
      as_producer("CREATE OPERATOR own." + name + " (LEFTARG = " + type + ", RIGHTARG = " + type +
                  ", FUNCTION = own.yes)");
    }
  }
  create_function("length(pg_catalog.text) RETURNS int", "30");
  create_function("octet_length(pg_catalog.text) RETURNS int", "30");
  create_function("starts_with(pg_catalog.text, pg_catalog.text) RETURNS boolean", "false");
  create_function("good(pg_catalog.text) RETURNS boolean", "true");
  as_producer("CREATE DOMAIN own.text AS pg_catalog.text CHECK (own.good(VALUE))");
  // Ids are given, because what makes them is the producer's business.
  const auto insert = [&](const std::string& columns, const std::string& values) {
    as_producer("INSERT INTO sealpost.outbox (id, " + columns + ") VALUES ('" + new_id() + "', " +
                values + ")");
  };
  insert("type, payload", "'a', '{}'");
  insert("type, payload_bytes, content_type, ordering_key", "'a', 'x', 'text/plain', 'k'");
  insert("type, payload", "'a', '{}'");
  EXPECT_EQ(count("sealpost.intake"), 3);
  for (const std::string values : {"'a b', '{}', NULL", "'a', '{}', ''", "'webhook', '{}', NULL"}) {
    EXPECT_THROW(insert("type, payload, ordering_key", values), StorageError) << values;
  }
}

}  // namespace
}  // namespace sealpost
