/* Parameters: what the workflow gives, else the default that plugin.json declares. `redress plugin build` writes the defaults
 * into build/params.c. */

#include "plugin.h"

extern const redress_list_attribute_t redress_defaults;

/* The bag that a parameter is read from. */
static const redress_list_attribute_t *holding(const redress_list_attribute_t *args, const char *name) {
    return find_value(args, name) == NULL ? &redress_defaults : args;
}

/* What a parameter of a type is read with. */
#define PARAMETER(name_of_type, type)                                                                                  \
    bool optional_##name_of_type(const redress_list_attribute_t *args, const char *name, const type **found,           \
                                 redress_failure_t *failure) {                                                         \
        return find_##name_of_type(holding(args, name), name, found, failure);                                         \
    }                                                                                                                  \
                                                                                                                       \
    bool arg_##name_of_type(const redress_list_attribute_t *args, const char *name, type *value,                       \
                            redress_failure_t *failure) {                                                              \
        const type *found;                                                                                             \
        if (!optional_##name_of_type(args, name, &found, failure)) return false;                                       \
        if (found == NULL) return missing(failure, name);                                                              \
        *value = *found;                                                                                               \
        return true;                                                                                                   \
    }

PARAMETER(text, redress_string_t)
PARAMETER(integer, int64_t)
PARAMETER(decimal, redress_decimal_t)
PARAMETER(boolean, bool)
PARAMETER(timestamp, redress_moment_t)
PARAMETER(money, redress_money_t)
