/* Reading the open bags of a request, and values under a key. */

#include "plugin.h"

const redress_value_t *find_value(const redress_list_attribute_t *bag, const char *key) {
    for (size_t i = 0; i < bag->len; i++) {
        if (text_is(bag->ptr[i].key, key)) return &bag->ptr[i].value;
    }
    return NULL;
}

/* The names of the types as manifests write them, in the order of their tags. */
static const char *const TYPES[] = {"text", "integer", "decimal", "boolean", "timestamp", "money"};

static bool find(const redress_list_attribute_t *bag, const char *key, uint8_t type, const redress_value_t **found,
                 redress_failure_t *failure) {
    *found = find_value(bag, key);
    if (*found == NULL || (*found)->tag == type) return true;
    const char *has = TYPES[(*found)->tag];
    redress_string_t expected = JOINED(text(", expected "), text(TYPES[type]));
    return bad_input(failure, JOINED(text("`"), text(key), text("` is "), text(has), expected));
}

bool find_text(const redress_list_attribute_t *bag, const char *key, const redress_string_t **found,
               redress_failure_t *failure) {
    const redress_value_t *value;
    if (!find(bag, key, REDRESS_VALUE_TEXT, &value, failure)) return false;
    *found = value == NULL ? NULL : &value->val.text;
    return true;
}

bool find_integer(const redress_list_attribute_t *bag, const char *key, const int64_t **found,
                  redress_failure_t *failure) {
    const redress_value_t *value;
    if (!find(bag, key, REDRESS_VALUE_INTEGER, &value, failure)) return false;
    *found = value == NULL ? NULL : &value->val.integer;
    return true;
}

bool find_decimal(const redress_list_attribute_t *bag, const char *key, const redress_decimal_t **found,
                  redress_failure_t *failure) {
    const redress_value_t *value = find_value(bag, key);
    if (value != NULL && value->tag == REDRESS_VALUE_INTEGER) {
        /* The host hands every whole number over as an integer. */
        redress_decimal_t *whole = room_for(1, sizeof *whole);
        *whole = (redress_decimal_t){.mantissa = value->val.integer, .scale = 0};
        *found = whole;
        return true;
    }
    if (!find(bag, key, REDRESS_VALUE_DECIMAL, &value, failure)) return false;
    *found = value == NULL ? NULL : &value->val.decimal;
    return true;
}

bool find_boolean(const redress_list_attribute_t *bag, const char *key, const bool **found,
                  redress_failure_t *failure) {
    const redress_value_t *value;
    if (!find(bag, key, REDRESS_VALUE_BOOLEAN, &value, failure)) return false;
    *found = value == NULL ? NULL : &value->val.boolean;
    return true;
}

bool find_timestamp(const redress_list_attribute_t *bag, const char *key, const redress_moment_t **found,
                    redress_failure_t *failure) {
    const redress_value_t *value;
    if (!find(bag, key, REDRESS_VALUE_TIMESTAMP, &value, failure)) return false;
    *found = value == NULL ? NULL : &value->val.timestamp;
    return true;
}

bool find_money(const redress_list_attribute_t *bag, const char *key, const redress_money_t **found,
                redress_failure_t *failure) {
    const redress_value_t *value;
    if (!find(bag, key, REDRESS_VALUE_MONEY, &value, failure)) return false;
    *found = value == NULL ? NULL : &value->val.money;
    return true;
}

redress_list_attribute_t bag_of_facts(const redress_list_fact_t *facts) {
    redress_list_attribute_t bag = {room_for(facts->len, sizeof(redress_attribute_t)), facts->len};
    for (size_t i = 0; i < facts->len; i++) bag.ptr[i] = (redress_attribute_t){facts->ptr[i].key, facts->ptr[i].value};
    return bag;
}

static redress_attribute_t attribute(const char *key, uint8_t type) {
    redress_attribute_t made = {.key = text(key)};
    made.value.tag = type;
    return made;
}

redress_attribute_t text_attribute(const char *key, redress_string_t value) {
    redress_attribute_t made = attribute(key, REDRESS_VALUE_TEXT);
    made.value.val.text = value;
    return made;
}

redress_attribute_t integer_attribute(const char *key, int64_t value) {
    redress_attribute_t made = attribute(key, REDRESS_VALUE_INTEGER);
    made.value.val.integer = value;
    return made;
}

redress_attribute_t decimal_attribute(const char *key, redress_decimal_t value) {
    redress_attribute_t made = attribute(key, REDRESS_VALUE_DECIMAL);
    made.value.val.decimal = value;
    return made;
}

redress_attribute_t boolean_attribute(const char *key, bool value) {
    redress_attribute_t made = attribute(key, REDRESS_VALUE_BOOLEAN);
    made.value.val.boolean = value;
    return made;
}

redress_attribute_t timestamp_attribute(const char *key, redress_moment_t value) {
    redress_attribute_t made = attribute(key, REDRESS_VALUE_TIMESTAMP);
    made.value.val.timestamp = value;
    return made;
}

redress_attribute_t money_attribute(const char *key, redress_money_t value) {
    redress_attribute_t made = attribute(key, REDRESS_VALUE_MONEY);
    made.value.val.money = value;
    return made;
}
