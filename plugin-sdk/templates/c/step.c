/* Computes something for a workflow, which reads it as `<as>.out.<name>`: parameters in, values out.
 *
 * Parameters
 * - `days`: how many days it took.
 * - `most`: how many it may take.
 */

#include "plugin.h"

#define MOST 14

bool exports_plugin_run(redress_step_request_t *request, redress_step_answer_t *answer, redress_failure_t *failure) {
    const int64_t *days, *most;
    if (!find_integer(&request->args, "days", &days, failure)) return false;
    if (days == NULL) return missing(failure, "days");
    if (!find_integer(&request->args, "most", &most, failure)) return false;
    int64_t may = most == NULL ? MOST : *most, over = 0;
    /* What does not fit into 64 bits is as late as can be. */
    if (*days > may && __builtin_sub_overflow(*days, may, &over)) over = INT64_MAX;
    *answer = (redress_step_answer_t){
        .provides = ATTRIBUTES(boolean_attribute("late", over > 0), integer_attribute("days_over", over)),
    };
    return true;
}
