#include "core/signing_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace sealpost {
namespace {

using enum Variable;

VariableValues values() {
  VariableValues values;
  values.set(ts, "1716792600");
  values.set(id, "evt_1");
  values.set(body, "{}");
  return values;
}

std::string filled(std::string_view text) {
  std::string out = "> ";
  SigningTemplate("content", text, {ts, id, body}).append_to(out, values());
  return out;
}

std::string failure(std::string_view text) {
  try {
    SigningTemplate("content", text, {ts, id});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(SigningTemplateTest, FillsVariablesInAndAppends) {
  EXPECT_EQ(filled(""), "> ");
  EXPECT_EQ(filled("v1"), "> v1");
  EXPECT_EQ(filled("{ts}"), "> 1716792600");
  EXPECT_EQ(filled("{id}.{ts}.{body}"), "> evt_1.1716792600.{}");
  EXPECT_EQ(filled("a {ts}{ts} b"), "> a 17167926001716792600 b");
}

TEST(SigningTemplateTest, GivesItsPiecesWithoutCopying) {
  const SigningTemplate content("content", "{id}.{body}", {id, body});
  SigningTemplate::Pieces room;
  const VariableValues given = values();
  EXPECT_THAT(content.pieces(given, room), testing::ElementsAre("evt_1", ".", "{}"));
  EXPECT_EQ(content.pieces(given, room)[2].data(), given.get(body).data());
}

TEST(SigningTemplateTest, WhatIsKnownBecomesPartOfItsNeighbours) {
  const SigningTemplate content("content", "{id}-{ts}:{ts}{body}{id}", {id, ts, body});
  VariableValues known;
  known.set(ts, "1716792600");
  SigningTemplate::Pieces room;
  const SigningTemplate filled = content.filled(known);
  EXPECT_THAT(filled.pieces(values(), room),
              testing::ElementsAre("evt_1", "-1716792600:1716792600", "{}", "evt_1"));
  EXPECT_FALSE(filled.uses(ts));
  known.set(id, "x");
  known.set(body, "");
  EXPECT_THAT(content.filled(known).pieces({}, room),
              testing::ElementsAre("x-1716792600:1716792600x"));
}

TEST(SigningTemplateTest, TakesItsVariablesOutOfAText) {
  const SigningTemplate prefix("prefix", "t={ts},i={id};", {ts, id});
  VariableValues found;
  std::string_view text = "t=123,i=evt_1;v1=ab";
  EXPECT_TRUE(prefix.take_from(text, found));
  EXPECT_EQ(found.get(ts), "123");
  EXPECT_EQ(found.get(id), "evt_1");
  EXPECT_EQ(text, "v1=ab");
  // What has a value must have the same.
  text = "t=123,i=evt_1;";
  EXPECT_TRUE(prefix.take_from(text, found));
  text = "t=124,i=evt_1;";
  EXPECT_FALSE(prefix.take_from(text, found));
  for (const std::string_view other : {"", "t=", "t=123", "t=123,i=evt_1", "x=123,i=evt_1;"}) {
    VariableValues none;
    text = other;
    EXPECT_FALSE(prefix.take_from(text, none)) << other;
  }
}

TEST(SigningTemplateTest, KnowsWhatItUses) {
  const SigningTemplate content("content", "{id}.x", {id, body});
  EXPECT_TRUE(content.uses(id));
  EXPECT_FALSE(content.uses(body));
}

TEST(SigningTemplateTest, ErrorsNameFieldVariableAndRemedy) {
  EXPECT_EQ(failure("{nope}"), "content uses {nope}, which is not known there; use {ts} {id}");
  EXPECT_EQ(failure("{body}"), "content uses {body}, which is not known there; use {ts} {id}");
  EXPECT_EQ(failure("{}"), "content uses {}, which is not known there; use {ts} {id}");
  for (const char* text : {"{", "}", "a}", "{ts", "{ts}}", "x{"}) {
    EXPECT_THAT(failure(text), testing::HasSubstr("unpaired brace")) << text;
  }
}

TEST(SigningTemplateTest, LiteralsAreVisibleAscii) {
  using namespace std::string_literals;
  for (const std::string& text : {"a\r"s, "\n"s, "a\0b"s, "\t"s, "\x7f"s, "\xC3\xA9"s, "{a\n}"s}) {
    EXPECT_THAT(failure(text), testing::HasSubstr("cannot stand in a header"))
        << testing::PrintToString(text);
  }
}

TEST(SigningTemplateTest, TooManyPiecesAreRefused) {
  std::string text;
  for (int i = 0; i < 19; ++i) text += "{ts}.";
  EXPECT_EQ(failure(text), "");
  EXPECT_THAT(failure(text + "{ts}.{ts}"), testing::HasSubstr("pieces"));
}

}  // namespace
}  // namespace sealpost
