/* Exact money. Two numbers of 64 bits times each other have up to 128, which are kept in four limbs: the compiler's own 128 bits
 * would need a library. Only what is left at the end is cut to minor units. */

#include "plugin.h"

#define LIMBS 4

/* A whole number, the lowest limb first. */
struct whole {
    uint32_t limbs[LIMBS];
};

static struct whole product(uint64_t one, uint64_t other) {
    const uint32_t ours[2] = {(uint32_t)one, (uint32_t)(one >> 32)}, theirs[2] = {(uint32_t)other, (uint32_t)(other >> 32)};
    struct whole made = {{0}};
    for (int i = 0; i < 2; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 2; j++) {
            carry += (uint64_t)ours[i] * theirs[j] + made.limbs[i + j];
            made.limbs[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        made.limbs[i + 2] = (uint32_t)carry;
    }
    return made;
}

static uint64_t size_of(int64_t number) { return number < 0 ? 0 - (uint64_t)number : (uint64_t)number; }

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
    if (number->limbs[2] != 0 || number->limbs[3] != 0 || size > (uint64_t)INT64_MAX + negative) return false;
    *made = (int64_t)(negative ? 0 - size : size);
    return true;
}

/* One number times the other in units of 10^-places, where the product has so many decimal places: rounded once. */
static bool rounded(int64_t one, int64_t other, int scale, int places, int64_t *made) {
    struct whole number = product(size_of(one), size_of(other));
    uint32_t digit = 0;
    for (int place = scale; place > places; place--) digit = cut_digit(&number);
    /* The digit that was cut last says whether it was half or more. */
    times_and(&number, 1, digit >= 5);
    for (int place = scale; place < places; place++) {
        if (times_and(&number, 10, 0) != 0) return false;
    }
    return signed_of(&number, (one < 0) != (other < 0), made);
}

static bool out_of_range(redress_failure_t *failure) { return bad_input(failure, text("a number is out of range")); }

bool price_times(redress_decimal_t price, uint32_t quantity, redress_string_t currency, redress_money_t *amount,
                 redress_failure_t *failure) {
    int places = minor_places(currency);
    amount->currency = currency;
    if (places >= 0 && rounded(price.mantissa, quantity, price.scale, places, &amount->minor)) return true;
    return out_of_range(failure);
}

bool percent_of(redress_money_t amount, redress_decimal_t percent, redress_money_t *part, redress_failure_t *failure) {
    part->currency = amount.currency;
    /* Percent are hundredths: two places more. */
    if (rounded(amount.minor, percent.mantissa, percent.scale + 2, 0, &part->minor)) return true;
    return out_of_range(failure);
}

bool at_most(redress_money_t amount, redress_money_t most, redress_money_t *lesser, redress_failure_t *failure) {
    if (!same_text(amount.currency, most.currency)) return other_currency(failure, amount.currency, most.currency);
    *lesser = most.minor < amount.minor ? most : amount;
    return true;
}

bool other_currency(redress_failure_t *failure, redress_string_t ours, redress_string_t theirs) {
    return bad_input(failure, JOINED(theirs, text(" cannot be added to "), ours));
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
