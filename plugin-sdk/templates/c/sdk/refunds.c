/* What a refund reads of a request: what was agreed to take back, what was bought, and how much of it is still open. */

#include "plugin.h"

struct agreed agreed_takes(const redress_request_t *request) {
    size_t lines = request->lines.len;
    struct agreed agreed = {room_for(lines, sizeof *agreed.takes), lines};
    bool *refused = room_for(lines, sizeof *refused);
    for (size_t i = 0; i < request->earlier.len; i++) {
        const redress_list_line_verdict_t *verdicts = &request->earlier.ptr[i].verdict.lines;
        for (size_t j = 0; j < verdicts->len; j++) {
            const redress_line_verdict_t *verdict = &verdicts->ptr[j];
            if (verdict->line >= lines) continue;
            if (verdict->remedy != REDRESS_REMEDY_ALLOW) refused[verdict->line] = true;
            if (verdict->takes.len > 0) agreed.takes[verdict->line] = verdict->takes;
        }
    }
    for (size_t line = 0; line < lines; line++) {
        if (refused[line]) agreed.takes[line].len = 0;
    }
    return agreed;
}

redress_list_take_t takes_of(const struct agreed *agreed, uint32_t line) {
    return line < agreed->lines ? agreed->takes[line] : (redress_list_take_t){NULL, 0};
}

/* The slot in which an order line lies, or where it would. A slot holds a position and one more; zero is an empty one. */
static uint32_t *slot_of(const struct purchases *bought, redress_string_t order, uint32_t line) {
    /* FNV-1a. */
    uint32_t hash = 2166136261u ^ line;
    for (size_t i = 0; i < order.len; i++) hash = (hash ^ order.ptr[i]) * 16777619u;
    for (uint32_t at = hash & bought->mask;; at = (at + 1) & bought->mask) {
        uint32_t position = bought->slots[at];
        if (position == 0) return &bought->slots[at];
        const redress_purchase_t *purchase = &bought->all[position - 1];
        if (purchase->line == line && same_text(purchase->order, order)) return &bought->slots[at];
    }
}

struct purchases index_purchases(const redress_list_purchase_t *all) {
    /* At most half of the slots are taken, so that a search is short. */
    size_t slots = 2;
    while (slots < all->len * 2) slots *= 2;
    struct purchases bought = {
        .all = all->ptr,
        .spent = room_for(all->len, sizeof *bought.spent),
        .slots = room_for(slots, sizeof *bought.slots),
        .mask = (uint32_t)(slots - 1),
    };
    for (size_t i = 0; i < all->len; i++) *slot_of(&bought, all->ptr[i].order, all->ptr[i].line) = (uint32_t)(i + 1);
    return bought;
}

/* The position of the purchase that a take takes from. */
static bool position_of(const struct purchases *bought, const redress_take_t *take, uint32_t *found,
                        redress_failure_t *failure) {
    uint32_t position = *slot_of(bought, take->order, take->line);
    if (position == 0) {
        redress_string_t line = number_text(take->line);
        redress_string_t rest = text(" is taken back, but is not among the purchases");
        return bad_input(failure, JOINED(text("order "), take->order, text(" line "), line, rest));
    }
    *found = position - 1;
    return true;
}

bool purchase_of(const struct purchases *bought, const redress_take_t *take, const redress_purchase_t **found,
                 redress_failure_t *failure) {
    uint32_t position;
    if (!position_of(bought, take, &position, failure)) return false;
    *found = &bought->all[position];
    return true;
}

bool spend(struct purchases *bought, const redress_take_t *take, redress_money_t amount, redress_failure_t *failure) {
    uint32_t position;
    if (!position_of(bought, take, &position, failure)) return false;
    redress_money_t paid = bought->all[position].paid, refunded = bought->all[position].refunded;
    if (!same_text(paid.currency, refunded.currency)) return other_currency(failure, paid.currency, refunded.currency);
    if (!same_text(paid.currency, amount.currency)) return other_currency(failure, paid.currency, amount.currency);
    int64_t open, sum;
    if (__builtin_sub_overflow(paid.minor, refunded.minor, &open) ||
        __builtin_add_overflow(bought->spent[position], amount.minor, &sum)) {
        return bad_input(failure, text("a number is out of range"));
    }
    if (sum > open) {
        redress_list_string_t used = TEXTS("purchases.unit_price", "purchases.paid", "purchases.refunded");
        redress_reason_t why = reason("more_than_paid", used);
        why.params = ATTRIBUTES(text_attribute("order", take->order), integer_attribute("line", take->line),
                                integer_attribute("quoted_minor", sum), integer_attribute("open_minor", open));
        return cannot_decide(failure, why);
    }
    bought->spent[position] = sum;
    return true;
}
