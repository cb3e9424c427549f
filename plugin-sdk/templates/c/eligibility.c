/* Says of each line whether it may come back: so many units at once and no more.
 *
 * Parameters
 * - `most`: how many units of one line may come back. plugin.json has the default.
 */

#include "plugin.h"

static redress_line_verdict_t judge(const redress_line_t *line, int64_t most) {
    if (line->quantity <= most) return allow_line(line->index, line->quantity);
    /* A reason teaches: a code, what it looked at, and the number that would have changed it. */
    redress_reason_t too_many = reason("too_many", TEXTS("line.quantity", "args.most"));
    too_many.params = ATTRIBUTES(integer_attribute("quantity", line->quantity), integer_attribute("most", most));
    return deny_line(line->index, too_many);
}

bool exports_plugin_evaluate(redress_request_t *request, redress_verdict_t *verdict, redress_failure_t *failure) {
    int64_t most;
    if (!arg_integer(&request->args, "most", &most, failure)) return false;
    *verdict = verdict_of(request->lines.len);
    for (size_t i = 0; i < request->lines.len; i++) {
        verdict->lines.ptr[i] = judge(&request->lines.ptr[i], most);
    }
    return true;
}
