/* Quotes what is refunded for the goods that a case takes back: what was paid for each unit. */

#include "plugin.h"

/* What is refunded for one take: so many units at the price that they were bought for, rounded once. */
static bool quote_take(uint32_t line, const redress_take_t *take, struct purchases *bought, redress_line_quote_t *quote,
                       redress_failure_t *failure) {
    const redress_purchase_t *purchase;
    redress_money_t amount;
    if (!purchase_of(bought, take, &purchase, failure)) return false;
    if (!price_times(purchase->unit_price, take->quantity, purchase->paid.currency, &amount, failure)) return false;
    /* No more than was paid and is not refunded yet: else a person decides. */
    if (!spend(bought, take, amount, failure)) return false;
    *quote = (redress_line_quote_t){.line = line, .take = *take, .parts = PARTS({text("goods"), amount})};
    return true;
}

bool exports_plugin_quote(redress_request_t *request, redress_quote_t *quote, redress_failure_t *failure) {
    struct agreed agreed = agreed_takes(request);
    struct purchases bought = index_purchases(&request->purchases);
    size_t count = 0;
    for (size_t i = 0; i < request->lines.len; i++) count += takes_of(&agreed, request->lines.ptr[i].index).len;
    *quote = (redress_quote_t){.lines = {room_for(count, sizeof(redress_line_quote_t)), 0}};
    for (size_t i = 0; i < request->lines.len; i++) {
        uint32_t line = request->lines.ptr[i].index;
        redress_list_take_t takes = takes_of(&agreed, line);
        for (size_t j = 0; j < takes.len; j++) {
            if (!quote_take(line, &takes.ptr[j], &bought, &quote->lines.ptr[quote->lines.len], failure)) return false;
            quote->lines.len++;
        }
    }
    return true;
}
