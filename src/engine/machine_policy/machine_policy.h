/* SPDX-License-Identifier: Apache-2.0
 * Machine policies: rules about instances of this region and machines of providers alike. A check weighs each selected
 * machine, keeps a finding for each one that breaks the rule, and requests the policy's action by the operations that people
 * use, with the rights of the user who set the policy. reconcile/machine_policy.c runs the checks. */
#pragma once

#include "engine/operation.h"
#include "model/machine_policy_words.h"
#include "model/policy_finding_words.h"

struct instance;
struct machine_policy;
struct policy_finding;
struct remote_machine;
struct later_guard; /* engine/people/asker.h */

enum {
	MACHINE_POLICIES_MAX = 100,
	POLICY_FINDINGS_MAX = 5000, /* of a policy */
	POLICY_PREVIEW_MAX = 1000,
	POLICY_KEYS_MAX = 20,
	POLICY_DAYS_MAX = 3660,
	POLICY_GRACE_MAX_H = 8784,
	POLICY_CHECK_S = 60,
	POLICY_CHECK_MIN_S = 60, /* administrators may set 1 second */
	POLICY_CHECK_MAX_S = 86400,
	PLAYBOOK_NAME_MAX = 128,
	PLAYBOOK_LIMIT_S = 600,
	PLAYBOOK_LIMIT_MAX_S = 3600,
	POLICY_RUNS_PER_HOUR = 10,
	POLICY_RUNS_PER_HOUR_MAX = 1000,
	POLICY_RUNS_OF_MACHINE = 4, /* in a day, by one policy for one machine */
	PLAYBOOK_OUTPUT_MAX = 8192  /* bytes of a run's output that its finding keeps */
};

/* ---- rules ---- */

enum policy_power { POLICY_POWER_MOVING, POLICY_POWER_RUNNING, POLICY_POWER_STOPPED, POLICY_POWER_GONE };

/* A machine of either kind, as rules see it. */
struct policy_machine {
	const struct instance *instance;     /* NULL: the machine is elsewhere */
	const struct remote_machine *remote; /* NULL: the machine is here */
	uuid id;
	struct tags tags;
	enum policy_power power;
	int64_t made_us;  /* creation, of machines elsewhere their launch; 0: unknown */
	int64_t known_us; /* when its row was made here */
	int64_t power_us; /* when the present power state was first seen; 0: not since it is known */
	bool is_adrift;   /* nobody asked this region for the present power state */
	bool is_missed;   /* the last listing lacked it */
	bool is_busy;     /* an earlier act is not over */
};

/* The room for a reason: a check of many machines needs one. */
enum { POLICY_REASON_MAX = 1000 };
struct policy_text {
	char at[POLICY_REASON_MAX + 24];
};

/* Outcome of a rule for one machine. */
struct policy_verdict {
	bool is_found;
	enum policy_finding_act act;
	int64_t due_us;    /* when the act is due; 0: there is no act */
	bool is_due;       /* the act is to be requested now */
	bool is_event;     /* an event has happened that was not judged before */
	int64_t event_us;  /* time of the last event that was judged, for the finding */
	struct str reason; /* a sentence */
};

typedef RESULT policy_visit(void *arg, const struct policy_machine *m);
/* Visits the machines that the policy selects. For the head or a view. */
RESULT engine_visit_policy_machines(const struct tables *t, const struct machine_policy *p,
				    policy_visit *visit, void *arg);
/* Reads the machine with that id, of either kind. False: there is none, or the policy does not select it. */
bool engine_read_policy_machine(const struct tables *t, const struct machine_policy *p, uuid id,
				struct policy_machine *ret_machine);
/* The policy's finding about the machine, or NULL. */
const struct policy_finding *engine_find_policy_finding(const struct tables *t,
							const struct machine_policy *p,
							const struct policy_machine *m);
/* Applies the rule to a selected machine. finding: the present one, or NULL. is_preview: tells what will happen at the
 * rule's time, however far ahead. The reason is in `text` or constant. */
struct policy_verdict engine_weigh_policy(struct policy_text *text, const struct machine_policy *p,
					  const struct policy_finding *finding,
					  const struct policy_machine *m, int64_t now_us, bool is_preview);
/* True if a policy about machines that vanish has not yet run its playbook for the machine, so that the row stays. */
bool engine_policy_awaits_machine(const struct tables *t, const struct remote_machine *m);
/* True if a turn would change the finding, or request the act. */
bool engine_policy_has_work(const struct policy_finding *finding, const struct policy_verdict *verdict);

/* ---- operations ---- */

/* A machine that the policy finds, and what follows: the answer to ?dry=1. */
struct policy_would {
	bool is_here; /* an instance of this region */
	uuid id;
	struct str ref, name; /* ref: the cloud's id of a machine elsewhere */
	struct policy_verdict verdict;
};

/* NULL texts, and numbers that are not given, leave their fields. */
struct machine_policy_numbers {
	int64_t age_days, warn_days, grace_hours, check_s, playbook_limit_s, runs_per_hour;
};
struct machine_policy_given {
	bool age_days, warn_days, grace_hours, check_s, playbook_limit_s, runs_per_hour, keys;
};
struct machine_policy_wish {
	struct ref policy;  /* to change; kind none: a new policy */
	struct ref account; /* a new policy's owner, for administrators; kind none: the caller */
	struct ref provider;
	const struct str *name, *description, *tag_key, *tag_value, *date_tag, *stop_at, *start_at, *timezone,
		*playbook;
	int rule, scope, act, power, event; /* 1 + value of its enum; 0: not given */
	struct strs keys;
	struct machine_policy_numbers number;
	struct machine_policy_given given;
	enum choice is_active;
	bool is_preview; /* fills in the outputs, as if the policy was active */
	/* outputs: */
	struct policy_would *would;
	size_t would_count, found; /* found: machines in all */
};
/* ERR_INVALID names the field. ERR_EXISTS. The caller has checked that the time zone exists. */
OPERATION(engine_create_machine_policy, machine_policy_wish)
OPERATION(engine_update_machine_policy, machine_policy_wish)

struct machine_policy_target {
	struct ref policy;
};
/* Deletes the policy with its findings. */
OPERATION(engine_delete_machine_policy, machine_policy_target)

/* ---- for the reconciler ---- */

/* Some machines of a check: changes their findings, and requests acts that are due. is_due: takes a schedule's time first,
 * or computes the next one. Void if the policy's gen has changed. */
struct policy_turn {
	uuid policy;
	uint64_t gen;
	const uuid *machines;
	size_t count;
	bool is_due;
	int64_t left_out;
	struct later_guard
		*guard; /* asks the policies of the user who set the policy; NULL: roles alone decide */
};
SYSTEM_OPERATION(engine_take_machine_policy_turn, policy_turn)

/* A step in the life of a playbook's run. Void if the finding is not in the state `from` any more, or was requested again. */
struct playbook_report {
	uuid finding;
	int64_t run_us; /* the finding's, when the step read it */
	enum policy_finding_run from, to;
	int64_t exit_status;
	struct str output, problem;
	struct later_guard *guard; /* asks the policies of the user before a run begins */
};
/* Begins a run that is wanted, if the user who set the policy may still set it, or ends one. */
SYSTEM_OPERATION(engine_see_playbook, playbook_report)
