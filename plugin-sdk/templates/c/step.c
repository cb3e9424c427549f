/* Computes something for a workflow, which reads it as `<as>.out.<name>`: parameters in, values out.
 *
 * Parameters
 * - `days`: how many days it took.
 * - `most`: how many it may take. plugin.json has the default.
 */

#include "plugin.h"

bool exports_plugin_run(redress_step_request_t *request, redress_step_answer_t *answer, redress_failure_t *failure) {
    int64_t days, most, over = 0;
    if (!arg_integer(&request->args, "days", &days, failure)) return false;
    if (!arg_integer(&request->args, "most", &most, failure)) return false;
    /* What does not fit into 64 bits is as late as can be. */
    if (days > most && __builtin_sub_overflow(days, most, &over)) over = INT64_MAX;
    *answer = (redress_step_answer_t){
        .provides = ATTRIBUTES(boolean_attribute("late", over > 0), integer_attribute("days_over", over)),
    };
    return true;
}
