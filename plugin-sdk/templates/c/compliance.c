/* Says what safety asks of each line: what was recalled comes back, into quarantine; what nobody knows of is a person's to say.
 *
 * Attributes
 * - `recalled` of a line: whether the maker called it back.
 */

#include "plugin.h"

static bool judge(const redress_line_t *line, redress_line_verdict_t *verdict, redress_failure_t *failure) {
    const bool *recalled;
    if (!find_boolean(&line->attributes, "recalled", &recalled, failure)) return false;
    if (recalled == NULL) {
        /* Never guess: a fact that is missing is a question for a person. */
        *verdict = review_line(line->index, reason("recall_unknown", TEXTS("line.recalled")));
        return true;
    }
    *verdict = allow_line(line->index, line->quantity);
    if (*recalled) {
        verdict->tier = REDRESS_TIER_RECALL;
        verdict->reasons = REASONS(reason("recalled", TEXTS("line.recalled")));
    }
    return true;
}

bool exports_plugin_check(redress_request_t *request, redress_verdict_t *verdict, redress_failure_t *failure) {
    *verdict = verdict_of(request->lines.len);
    for (size_t i = 0; i < request->lines.len; i++) {
        if (!judge(&request->lines.ptr[i], &verdict->lines.ptr[i], failure)) return false;
    }
    return true;
}
