/* Building answers: reasons, line verdicts and failures. */

#include "plugin.h"

redress_reason_t reason(const char *code, redress_list_string_t used) {
    return (redress_reason_t){.code = text(code), .used = used};
}

redress_line_verdict_t allow_line(uint32_t line, uint32_t quantity) {
    return (redress_line_verdict_t){
        .line = line,
        .remedy = REDRESS_REMEDY_ALLOW,
        .quantity = quantity,
        .disposition = {true, REDRESS_DISPOSITION_QUARANTINE},
        .tier = REDRESS_TIER_GOODWILL,
    };
}

static redress_line_verdict_t nothing_of(uint32_t line, redress_remedy_t remedy, redress_reason_t why) {
    return (redress_line_verdict_t){
        .line = line,
        .remedy = remedy,
        .tier = REDRESS_TIER_GOODWILL,
        .reasons = REASONS(why),
    };
}

redress_line_verdict_t deny_line(uint32_t line, redress_reason_t why) {
    return nothing_of(line, REDRESS_REMEDY_DENY, why);
}

redress_line_verdict_t review_line(uint32_t line, redress_reason_t why) {
    return nothing_of(line, REDRESS_REMEDY_REVIEW, why);
}

redress_verdict_t verdict_of(size_t lines) {
    return (redress_verdict_t){.lines = {room_for(lines, sizeof(redress_line_verdict_t)), lines}};
}

bool bad_input(redress_failure_t *failure, redress_string_t what) {
    failure->tag = REDRESS_FAILURE_BAD_INPUT;
    failure->val.bad_input = what;
    return false;
}

bool cannot_decide(redress_failure_t *failure, redress_reason_t why) {
    failure->tag = REDRESS_FAILURE_CANNOT_DECIDE;
    failure->val.cannot_decide = REASONS(why);
    return false;
}

bool missing(redress_failure_t *failure, const char *parameter) {
    return bad_input(failure, JOINED(text("parameter `"), text(parameter), text("` is missing")));
}
