#include "core/form.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

TEST(FormTest, IsAMediaTypeWithOrWithoutParameters) {
  EXPECT_TRUE(is_form_type("application/x-www-form-urlencoded"));
  EXPECT_TRUE(is_form_type("Application/X-WWW-Form-Urlencoded ; charset=utf-8"));
  EXPECT_FALSE(is_form_type("application/json"));
  EXPECT_FALSE(is_form_type(""));
  EXPECT_FALSE(is_form_type("multipart/form-data; x=application/x-www-form-urlencoded"));
}

TEST(FormTest, FieldsAreDecodedAndSortedByNameAndThenByValue) {
  EXPECT_EQ(sorted_form("b=2&a=1"), "a1b2");
  EXPECT_EQ(sorted_form("a=2&a=1&a=2"), "a1a2") << "equal fields count once";
  EXPECT_EQ(sorted_form("b=x%26y%3dz&a=1+%2B%202"), "a1 + 2bx&y=z");
  EXPECT_EQ(sorted_form("a=b=c&&d&=e&"), "eab=cd");
  EXPECT_EQ(sorted_form("%E2%82%AC=%e2%82%ac"), "€€");
  EXPECT_EQ(sorted_form(""), "");
}

TEST(FormTest, WhatReceiversReadDifferentlyIsNoForm) {
  EXPECT_EQ(sorted_form("a=100%"), std::nullopt);
  EXPECT_EQ(sorted_form("a=%1"), std::nullopt);
  EXPECT_EQ(sorted_form("a=%zz"), std::nullopt);
  EXPECT_EQ(sorted_form("a=1&%ff=2"), std::nullopt) << "not UTF-8";
  EXPECT_EQ(sorted_form("a=\xff"), std::nullopt);
}

}  // namespace
}  // namespace sealpost
