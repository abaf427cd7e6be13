/* SPDX-License-Identifier: ISC
 *
 * Rules for a flow: which of them hold, and the command that adds the one that lacks.
 */
#ifndef APPLETS_DOCTOR_ADVISE_RULE_H
#define APPLETS_DOCTOR_ADVISE_RULE_H

#include "applets/doctor/advice.h"

/* The rule, no stop, that waits for the flow on an interface; NULL when there is none. */
const struct conf_rule *advise_rule_of(const struct advice *r, const struct probe_link *l);

/* True when a rule waits for the flow on an interface, and is no stop. */
bool advise_rule_waits(const struct advice *r, const struct probe_link *l);

/* True when an interface is an output of a rule for the group, and none has it as its input. */
bool advise_rule_is_output(const struct advice *r, const struct probe_link *l);

/* True when a rule or membership for the group names its source, as all do of SSM (RFC 4607). */
bool advise_rule_by_source(const struct advice *r);

/* Appends the commands that give the running router, or one yet to be started, the rule that the flow lacks; src = "":
 * for any source, or for its own where advise_rule_by_source(). */
void advise_rule_add(struct advice *r, const char *src);

/* Appends the command that starts a router. */
void advise_rule_start(struct advice *r);

/* The same for a membership; of advise_rule_by_source() for the sources that rules name, if any. */
void advise_rule_join(struct advice *r, const char *iif);

/* Appends "FILE:LINE (the line)" for a rule in force or of the file. */
void advise_rule_line(const struct advice *r, struct buf *b, const struct conf_rule *m);

/* Appends that no rule says where to send a flow, with the nearest one and the command that adds one. */
void advise_rule_none(struct advice *r, const struct loss *l);

#endif
