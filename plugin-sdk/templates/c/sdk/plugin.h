/* What a plugin in C is written with: texts, bags, answers, exact money. The records of the contract are in redress.h.
 *
 * An instance lives for one call, so nothing is ever given back: take memory with `room_for`, and forget it. An answer is read
 * after your function has returned, so nothing of it may lie on the stack; what is made here does not.
 *
 * A function that can fail returns false and has written why into `failure`; return false then as well.
 */
#ifndef REDRESS_SDK_PLUGIN_H
#define REDRESS_SDK_PLUGIN_H

#include "redress.h"

/* Memory for so many things, all zero. A plugin that wants more than it may have ends here, and a person decides. */
void *room_for(size_t count, size_t bytes_each);

/* Texts. They are UTF-8, with a length and without a zero at the end. */

redress_string_t text(const char *words);
redress_string_t number_text(int64_t number);
bool same_text(redress_string_t one, redress_string_t other);
bool text_is(redress_string_t one, const char *words);

/* Lists: TEXTS("line.quantity", "args.most"), and so on. */

#define REDRESS_COUNT(type, ...) (sizeof((type[]){__VA_ARGS__}) / sizeof(type))
#define TEXTS(...) list_texts(REDRESS_COUNT(const char *, __VA_ARGS__), (const char *[]){__VA_ARGS__})
#define JOINED(...) join_texts(REDRESS_COUNT(redress_string_t, __VA_ARGS__), (redress_string_t[]){__VA_ARGS__})
#define ATTRIBUTES(...) \
    list_attributes(REDRESS_COUNT(redress_attribute_t, __VA_ARGS__), (redress_attribute_t[]){__VA_ARGS__})
#define REASONS(...) list_reasons(REDRESS_COUNT(redress_reason_t, __VA_ARGS__), (redress_reason_t[]){__VA_ARGS__})
#define PARTS(...) list_parts(REDRESS_COUNT(redress_part_t, __VA_ARGS__), (redress_part_t[]){__VA_ARGS__})

redress_list_string_t list_texts(size_t count, const char *const *texts);
redress_string_t join_texts(size_t count, const redress_string_t *texts);
redress_list_attribute_t list_attributes(size_t count, const redress_attribute_t *attributes);
redress_list_reason_t list_reasons(size_t count, const redress_reason_t *reasons);
redress_list_part_t list_parts(size_t count, const redress_part_t *parts);

/* Parameters: what the workflow gives in `with`, else the default that plugin.json declares; `args` are those of the request. Where
 * there is neither, `arg_` fails and `optional_` finds NULL; both fail where the value is of another type. */

bool arg_text(const redress_list_attribute_t *args, const char *name, redress_string_t *value,
              redress_failure_t *failure);
bool arg_integer(const redress_list_attribute_t *args, const char *name, int64_t *value, redress_failure_t *failure);
bool arg_decimal(const redress_list_attribute_t *args, const char *name, redress_decimal_t *value,
                 redress_failure_t *failure);
bool arg_boolean(const redress_list_attribute_t *args, const char *name, bool *value, redress_failure_t *failure);
bool arg_timestamp(const redress_list_attribute_t *args, const char *name, redress_moment_t *value,
                   redress_failure_t *failure);
bool arg_money(const redress_list_attribute_t *args, const char *name, redress_money_t *value,
               redress_failure_t *failure);
bool optional_text(const redress_list_attribute_t *args, const char *name, const redress_string_t **found,
                   redress_failure_t *failure);
bool optional_integer(const redress_list_attribute_t *args, const char *name, const int64_t **found,
                      redress_failure_t *failure);
bool optional_decimal(const redress_list_attribute_t *args, const char *name, const redress_decimal_t **found,
                      redress_failure_t *failure);
bool optional_boolean(const redress_list_attribute_t *args, const char *name, const bool **found,
                      redress_failure_t *failure);
bool optional_timestamp(const redress_list_attribute_t *args, const char *name, const redress_moment_t **found,
                        redress_failure_t *failure);
bool optional_money(const redress_list_attribute_t *args, const char *name, const redress_money_t **found,
                    redress_failure_t *failure);

/* Reading another bag, such as the attributes of a line: what is absent is NULL, and a value of another type fails. */

const redress_value_t *find_value(const redress_list_attribute_t *bag, const char *key);
bool find_text(const redress_list_attribute_t *bag, const char *key, const redress_string_t **found,
               redress_failure_t *failure);
bool find_integer(const redress_list_attribute_t *bag, const char *key, const int64_t **found,
                  redress_failure_t *failure);
bool find_decimal(const redress_list_attribute_t *bag, const char *key, const redress_decimal_t **found,
                  redress_failure_t *failure);
bool find_boolean(const redress_list_attribute_t *bag, const char *key, const bool **found,
                  redress_failure_t *failure);
bool find_timestamp(const redress_list_attribute_t *bag, const char *key, const redress_moment_t **found,
                    redress_failure_t *failure);
bool find_money(const redress_list_attribute_t *bag, const char *key, const redress_money_t **found,
                redress_failure_t *failure);
/* Facts as a bag. */
redress_list_attribute_t bag_of_facts(const redress_list_fact_t *facts);

/* Values under a key, for what an answer provides and for the parameters of a reason. */

redress_attribute_t text_attribute(const char *key, redress_string_t value);
redress_attribute_t integer_attribute(const char *key, int64_t value);
redress_attribute_t decimal_attribute(const char *key, redress_decimal_t value);
redress_attribute_t boolean_attribute(const char *key, bool value);
redress_attribute_t timestamp_attribute(const char *key, redress_moment_t value);
redress_attribute_t money_attribute(const char *key, redress_money_t value);

/* Answers. */

/* A reason with its stable code and the inputs that it rests on; put parameters into `params`. */
redress_reason_t reason(const char *code, redress_list_string_t used);
/* So many of a line are allowed. They go to quarantine, out of goodwill, unless the verdict is changed. */
redress_line_verdict_t allow_line(uint32_t line, uint32_t quantity);
redress_line_verdict_t deny_line(uint32_t line, redress_reason_t why);
/* A line is left to a person. */
redress_line_verdict_t review_line(uint32_t line, redress_reason_t why);
/* Room for so many line verdicts, to be filled in. */
redress_verdict_t verdict_of(size_t lines);

/* Failures. Both return false, to be returned. */

bool bad_input(redress_failure_t *failure, redress_string_t what);
bool cannot_decide(redress_failure_t *failure, redress_reason_t why);
/* The parameter is not there. */
bool missing(redress_failure_t *failure, const char *parameter);

/* Money: minor units in 64 bits, and never a float. */

/* So many units at a price as an amount of a currency: rounded once, a half away from zero. */
bool price_times(redress_decimal_t price, uint32_t quantity, redress_string_t currency, redress_money_t *amount,
                 redress_failure_t *failure);
/* The decimal places of a currency's minor unit: 2 for GBP, 0 for JPY, -1 for what is not a currency code. */
int minor_places(redress_string_t currency);

/* Refunds. */

/* What the earlier opinions of a case agreed to take back, by line: the takes of the last opinion that has any, and nothing of
 * a line that any of them denies or leaves to a person. */
struct agreed {
    redress_list_take_t *takes;
    size_t lines;
};
struct agreed agreed_takes(const redress_request_t *request);
redress_list_take_t takes_of(const struct agreed *agreed, uint32_t line);

/* The purchases of a request, found by order and line, and what a call spends of each. A request may have 2,000 of them. */
struct purchases {
    const redress_purchase_t *all;
    int64_t *spent;
    uint32_t *slots;
    uint32_t mask;
};
struct purchases index_purchases(const redress_list_purchase_t *all);
/* The purchase that a take takes from. */
bool purchase_of(const struct purchases *bought, const redress_take_t *take, const redress_purchase_t **found,
                 redress_failure_t *failure);
/* Count an amount that is refunded for a take. What is more than was paid and is not refunded yet fails, so that a person
 * decides. */
bool spend(struct purchases *bought, const redress_take_t *take, redress_money_t amount, redress_failure_t *failure);

#endif
