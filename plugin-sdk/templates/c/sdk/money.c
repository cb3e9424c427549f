/* Exact money. A price times a quantity has up to 96 bits, which are kept in three limbs: the compiler's own 128 bits would need
 * a library. Only what is left at the end is cut to minor units. */

#include "plugin.h"

#define LIMBS 3

/* A whole number, the lowest limb first. */
struct whole {
    uint32_t limbs[LIMBS];
};

static struct whole product(uint64_t one, uint32_t other) {
    uint64_t low = (one & UINT32_MAX) * other;
    uint64_t high = (one >> 32) * other + (low >> 32);
    return (struct whole){{(uint32_t)low, (uint32_t)high, (uint32_t)(high >> 32)}};
}

/* Divides by ten; what is left over. */
static uint32_t cut_digit(struct whole *number) {
    uint64_t rest = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
        uint64_t with = rest << 32 | number->limbs[i];
        number->limbs[i] = (uint32_t)(with / 10);
        rest = with % 10;
    }
    return (uint32_t)rest;
}

/* Times a small number, and a small number more; what did not fit. */
static uint32_t times_and(struct whole *number, uint32_t factor, uint32_t more) {
    uint64_t carry = more;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)number->limbs[i] * factor;
        number->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return (uint32_t)carry;
}

/* Whether the number became one of 64 bits with the sign. */
static bool signed_of(const struct whole *number, bool negative, int64_t *made) {
    uint64_t size = (uint64_t)number->limbs[1] << 32 | number->limbs[0];
    if (number->limbs[2] != 0 || size > (uint64_t)INT64_MAX + negative) return false;
    *made = (int64_t)(negative ? 0 - size : size);
    return true;
}

/* The price of so many units in units of 10^-places. */
static bool minor_of(redress_decimal_t price, uint32_t quantity, int places, int64_t *minor) {
    bool negative = price.mantissa < 0;
    struct whole number = product(negative ? 0 - (uint64_t)price.mantissa : (uint64_t)price.mantissa, quantity);
    uint32_t digit = 0;
    for (int scale = price.scale; scale > places; scale--) digit = cut_digit(&number);
    /* The digit that was cut last says whether it was half or more. */
    times_and(&number, 1, digit >= 5);
    for (int scale = price.scale; scale < places; scale++) {
        if (times_and(&number, 10, 0) != 0) return false;
    }
    return signed_of(&number, negative, minor);
}

bool price_times(redress_decimal_t price, uint32_t quantity, redress_string_t currency, redress_money_t *amount,
                 redress_failure_t *failure) {
    int places = minor_places(currency);
    amount->currency = currency;
    if (places >= 0 && minor_of(price, quantity, places, &amount->minor)) return true;
    return bad_input(failure, text("a number is out of range"));
}

#define CODE(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

int minor_places(redress_string_t currency) {
    if (currency.len != 3) return -1;
    for (size_t i = 0; i < 3; i++) {
        if (currency.ptr[i] < 'A' || currency.ptr[i] > 'Z') return -1;
    }
    /* ISO 4217: those whose minor unit is not the hundredth. */
    switch (CODE(currency.ptr[0], currency.ptr[1], currency.ptr[2])) {
    case CODE('B', 'I', 'F'): case CODE('C', 'L', 'P'): case CODE('D', 'J', 'F'): case CODE('G', 'N', 'F'):
    case CODE('I', 'S', 'K'): case CODE('J', 'P', 'Y'): case CODE('K', 'M', 'F'): case CODE('K', 'R', 'W'):
    case CODE('P', 'Y', 'G'): case CODE('R', 'W', 'F'): case CODE('U', 'G', 'X'): case CODE('U', 'Y', 'I'):
    case CODE('V', 'N', 'D'): case CODE('V', 'U', 'V'): case CODE('X', 'A', 'F'): case CODE('X', 'O', 'F'):
    case CODE('X', 'P', 'F'):
        return 0;
    case CODE('B', 'H', 'D'): case CODE('I', 'Q', 'D'): case CODE('J', 'O', 'D'): case CODE('K', 'W', 'D'):
    case CODE('L', 'Y', 'D'): case CODE('O', 'M', 'R'): case CODE('T', 'N', 'D'):
        return 3;
    case CODE('C', 'L', 'F'): case CODE('U', 'Y', 'W'):
        return 4;
    default:
        return 2;
    }
}
